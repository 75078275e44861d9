using System.Text;
using System.Text.RegularExpressions;

namespace Deliberate.Policies;

/// <summary>How much of a specification had to go to fit a budget, in order.</summary>
internal enum SpecCut
{
    Nothing,
    SummariesToOneSentence,
    SummariesToTitles,
    Introduction,
    OtherCategories,
}

/// <summary>Assembles the specification of a category within a budget of tokens.</summary>
internal static partial class SpecText
{
    /// <summary>The fullest text that fits with what it went without; or null with the tokens that the least text needs.</summary>
    public static (string? Text, SpecCut Cut, int Tokens) Fit(PolicyParts policy, Category? category, int budget, Func<string, int>? countTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(budget);
        var count = countTokens ?? Estimate;
        var tokens = 0;
        foreach (var cut in Enum.GetValues<SpecCut>())
        {
            var text = Write(policy, category, cut);
            tokens = count(text);
            if (tokens <= budget) return (text, cut, tokens);
        }

        return (null, SpecCut.OtherCategories, tokens);
    }

    /// <summary>One token for every four characters, rounded up: the usual estimate for English where no tokenizer is at hand.</summary>
    public static int Estimate(string text) => (text.Length + 3) / 4;

    private static string Write(PolicyParts policy, Category? category, SpecCut cut)
    {
        var text = new StringBuilder($"# {policy.Title}\n\n");
        if (cut < SpecCut.Introduction && policy.Introduction.Length > 0) text.Append(policy.Introduction).Append("\n\n");
        if (PolicyMarkdown.Guidelines(policy) is { Length: > 0 } guidelines) text.Append(guidelines).Append("\n\n");
        var others = policy.Categories.Where(other => other != category).ToArray();
        if (cut < SpecCut.OtherCategories && others.Length > 0)
        {
            text.Append(category is null ? "## Categories\n\n" : "## Other categories\n\n");
            foreach (var other in others) text.Append($"- **{other.Title}**{Summary(other.Condensed ?? other.Summary, cut)}\n");
            text.Append('\n');
        }

        // Codes stand in brackets here, as thoughts are to cite them.
        if (category is not null) text.Append(PolicyMarkdown.Category(category, 2, code => $"[{code}]"));
        return text.ToString().TrimEnd();
    }

    private static string Summary(string summary, SpecCut cut)
    {
        if (summary.Length == 0 || cut >= SpecCut.SummariesToTitles) return "";
        return ": " + (cut == SpecCut.Nothing ? summary : FirstSentence().Match(summary) is { Success: true } end ? summary[..(end.Index + 1)] : summary);
    }

    [GeneratedRegex(@"[.!?](?= \p{Lu})", RegexOptions.CultureInvariant)]
    private static partial Regex FirstSentence();
}
