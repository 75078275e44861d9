using System.Text.RegularExpressions;

namespace Deliberate.Policies;

/// <summary>Checks a policy for what makes it unusable, contradictory or vague. Safe for threads.</summary>
public static partial class PolicyLint
{
    /// <summary>Checks a folder that may not load: every error in it, and if there is none what <see cref="Check(Policy, int, Func{string, int}?)"/> finds.</summary>
    /// <param name="folder">The policy's folder.</param>
    /// <param name="tokenBudget">The most tokens that a specification may have.</param>
    /// <param name="countTokens">Counts a text's tokens; by default as <see cref="Policy.Spec"/> does.</param>
    /// <returns>Findings by file and line, policy.md first.</returns>
    public static IReadOnlyList<PolicyFinding> Check(string folder, int tokenBudget = 4096, Func<string, int>? countTokens = null)
    {
        var (policy, problems) = PolicyReader.ReadFolder(folder);
        return policy is null ? problems : Ordered(policy, problems.Concat(Findings(policy, tokenBudget, countTokens)));
    }

    /// <summary>Checks a policy that was read.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="tokenBudget">The most tokens that a specification may have.</param>
    /// <param name="countTokens">Counts a text's tokens; by default as <see cref="Policy.Spec"/> does.</param>
    /// <returns>Findings by file and line, policy.md first.</returns>
    public static IReadOnlyList<PolicyFinding> Check(Policy policy, int tokenBudget = 4096, Func<string, int>? countTokens = null)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return Ordered(policy, Findings(policy, tokenBudget, countTokens));
    }

    private static List<PolicyFinding> Ordered(Policy policy, IEnumerable<PolicyFinding> findings)
    {
        var main = Path.Combine(policy.Folder, "policy.md");
        return [.. findings.OrderBy(finding => finding.File != main).ThenBy(finding => finding.File, StringComparer.Ordinal).ThenBy(finding => finding.Line).ThenByDescending(finding => finding.Severity)];
    }

    private static IEnumerable<PolicyFinding> Findings(Policy policy, int budget, Func<string, int>? countTokens) =>
        Guidelines(policy).Concat(policy.Categories.SelectMany(category => OfCategory(policy, category))).Concat(Titles(policy)).Concat(Lengths(policy, budget, countTokens));

    private static IEnumerable<PolicyFinding> Guidelines(Policy policy)
    {
        if (policy.Principles.Count == 0) yield return Warn("policy.md", 0, "there are no principles; write them under '## Principles'");
        if (policy.Refusal.Name.Length + policy.Refusal.Text.Length == 0) yield return Warn("policy.md", 0, "nothing says how to refuse; write '## Refusal style: NAME'");
        if (policy.SafeCompletion.Name.Length + policy.SafeCompletion.Text.Length == 0) yield return Warn("policy.md", 0, "nothing says how to safe-complete; write '## Safe-completion style: NAME'");
        if (policy.Precedence.Length == 0) yield return Warn("policy.md", 0, "nothing says which clause wins when two apply; write '## Precedence'");
        else if (Vague(policy.Precedence) is { } word) yield return Warn("policy.md", 0, $"'{word}' under Precedence is vague; say what decides");

        PolicyFinding Warn(string file, int line, string message) => new(PolicySeverity.Warning, Path.Combine(policy.Folder, file), line, message);
    }

    private static IEnumerable<PolicyFinding> OfCategory(Policy policy, Category category)
    {
        var file = Path.Combine(policy.Folder, category.File);
        if (category.Summary.Length == 0) yield return new(PolicySeverity.Warning, file, 1, "the category has no summary, and so other categories' specifications show its title alone; write a paragraph below the title");
        else if (Vague(category.Summary) is { } word) yield return new(PolicySeverity.Hint, file, 1, $"'{word}' in the summary is vague; say what is meant");
        foreach (var term in category.Terms)
            if (Vague(term.Meaning) is { } word) yield return new(PolicySeverity.Warning, file, term.Line, $"'{word}' in the meaning of '{term.Name}' is vague; say what is meant");
        foreach (var clause in category.Clauses)
        {
            if (Vague(clause.Text) is { } word) yield return new(PolicySeverity.Warning, file, clause.Line, $"'{word}' in {clause.Code} is vague: two readers will draw the line differently; say what is meant");
            if (clause.Exception?.Action == clause.Action) yield return new(PolicySeverity.Warning, file, clause.Line, $"the exception of {clause.Code} demands what the clause demands; drop it or change its action");
            if (ClauseText.Read(clause.Text).LooseCondition is { } loose)
                yield return new(loose.StartsWith("only", StringComparison.OrdinalIgnoreCase) ? PolicySeverity.Hint : PolicySeverity.Warning, file, clause.Line,
                    $"'{loose}' in {clause.Code} reads like a condition and names no action; write 'Unless CONDITION: ACTION.' or 'only for CONDITION, else ACTION.'");
        }

        foreach (var finding in Contradictions(category, file).Concat(Numbering(category, file))) yield return finding;
    }

    private static IEnumerable<PolicyFinding> Contradictions(Category category, string file)
    {
        var first = new Dictionary<string, Clause>();
        foreach (var clause in category.Clauses.Where(clause => clause.Exception is null))
            foreach (var subject in Subjects(clause.Subject))
            {
                if (first.TryAdd(subject, clause) || first[subject] is var earlier && earlier == clause) continue;
                earlier = first[subject];
                yield return earlier.Action == clause.Action
                    ? new(PolicySeverity.Warning, file, clause.Line, $"{clause.Code} says of '{subject}' what {earlier.Code} at line {earlier.Line} says; keep one")
                    : new(PolicySeverity.Error, file, clause.Line, $"{clause.Code} demands to {clause.Action.ToText()} on '{subject}', and {earlier.Code} at line {earlier.Line} to {earlier.Action.ToText()}; drop one or give it a condition");
            }
    }

    // Codes are A1, A2, … in the order that the file is read in; sections may be interleaved.
    private static IEnumerable<PolicyFinding> Numbering(Category category, string file)
    {
        var codes = category.Clauses.Select(clause => (Clause: clause, Letters: clause.Code.TrimEnd("0123456789".ToCharArray()))).ToArray();
        foreach (var group in codes.Select(code => code.Letters).Distinct().Skip(1))
            yield return new(PolicySeverity.Hint, file, codes.First(code => code.Letters == group).Clause.Line, $"the category's codes begin with {codes[0].Letters} and with {group}; one beginning tells the category by its codes");
        foreach (var group in codes.GroupBy(code => code.Letters))
        {
            var numbers = group.Select(code => (code.Clause, Number: int.Parse(code.Clause.Code[group.Key.Length..], System.Globalization.CultureInfo.InvariantCulture))).OrderBy(code => code.Number).ToArray();
            for (var i = 1; i < numbers.Length; i++)
                if (numbers[i].Number > numbers[i - 1].Number + 1)
                    yield return new(PolicySeverity.Hint, file, numbers[i].Clause.Line, $"no clause between {numbers[i - 1].Clause.Code} and {numbers[i].Clause.Code}; was one left out?");
        }
    }

    private static IEnumerable<PolicyFinding> Titles(Policy policy)
    {
        foreach (var group in policy.Categories.Where(category => category.Title.Length > 0).GroupBy(category => category.Title.ToLowerInvariant()))
            foreach (var again in group.Skip(1))
                yield return new(PolicySeverity.Warning, Path.Combine(policy.Folder, again.File), 1, $"the title '{again.Title}' is also that of {group.First().File}, and only one of the two can be reached by it; rename one");
        var letters = new Dictionary<string, Category>();
        foreach (var category in policy.Categories)
            foreach (var beginning in category.Clauses.Select(clause => clause.Code.TrimEnd("0123456789".ToCharArray())).Distinct())
                if (!letters.TryAdd(beginning, category))
                    yield return new(PolicySeverity.Hint, Path.Combine(policy.Folder, category.File), category.Clauses[0].Line, $"codes beginning with {beginning} are also those of {letters[beginning].File}; a beginning of its own tells the category by its codes");
    }

    private static IEnumerable<PolicyFinding> Lengths(Policy policy, int budget, Func<string, int>? countTokens)
    {
        foreach (var category in policy.Categories)
        {
            var file = Path.Combine(policy.Folder, category.File);
            var (text, cut, tokens) = SpecText.Fit(policy.Parts, category, budget, countTokens);
            if (text is null) yield return new(PolicySeverity.Error, file, 0, $"the specification of the category needs {tokens} tokens at the least and the budget is {budget}; raise the budget or shorten the category");
            else if (cut != SpecCut.Nothing)
                yield return new(PolicySeverity.Hint, file, 0, $"to fit {budget} tokens its specification goes without {cut switch
                {
                    SpecCut.SummariesToOneSentence => "all but the first sentence of the other categories' summaries",
                    SpecCut.SummariesToTitles => "the other categories' summaries",
                    SpecCut.Introduction => "the other categories' summaries and the introduction",
                    _ => "the other categories and the introduction",
                }}");
        }
    }

    // "A story, a poem and songs" is about story, poem and song.
    private static IEnumerable<string> Subjects(string lead) =>
        Separators().Split(lead.ToLowerInvariant()).Select(part => Article().Replace(part.Trim(), "").TrimEnd('s')).Where(part => part.Length > 0).Distinct();

    private static string? Vague(string text) => VagueWords().Match(text) is { Success: true } match ? match.Value : null;

    [GeneratedRegex(@"\b(?:(?:in)?appropriate(?:ly)?|(?:un)?reasonabl[ey]|(?:un)?suitabl[ey]|adequate(?:ly)?|excessive(?:ly)?|sufficient(?:ly)?|(?:un)?acceptable|properly|usually|normally|typically|generally|sometimes|if necessary|as needed|(?:where|when|if|as far as) possible|in (?:some|most|certain) cases|case by case|and so on|and the like|and similar|something like)\b|\betc\b\.?",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex VagueWords();

    [GeneratedRegex(@"[,;/]|\b(?:and|or)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Separators();

    [GeneratedRegex(@"^(?:an?|the|any|all)\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Article();
}
