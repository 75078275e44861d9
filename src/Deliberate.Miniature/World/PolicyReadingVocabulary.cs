using System.Text.RegularExpressions;

namespace Deliberate.Miniature.World;

/// <summary>
/// The words by which policies name the world's categories, acts and users. Texts are compared in lower case, as letters and single spaces,
/// by whole words. <c>docs/policies.md</c> lists what is known here.
/// </summary>
internal static partial class PolicyReadingVocabulary
{
    // Behind "guidance on" and the like, what follows is what is asked for.
    private const string Purpose = @"(?! (?:on|for|to|about|of|in) (?:the )?(?:prevent|protect|avoid|stop|cop(?:e|ing)|support|recogni|spot))";

    private const string Oneself = @"(?! (?:to (?:harm|hurt|injure) )?(?:themsel|himself|herself|oneself|yourself))";

    private static readonly (Regex Pattern, string[] Names)[] ActPatterns =
    [
        (Pattern($@"(?:instructions?|instructing|how tos?|step by step|guides?|guidance|tutorials?|walk ?throughs?|recipes?|directions|manuals?|methods?|operational (?:help|details?|advice)){Purpose}"), ["instructions"]),
        (Pattern("stor(?:y|ies)|fiction|fictional|tales?|novels?|scenes?|narratives?"), ["a story"]),
        (Pattern("poems?|poetry|verses?|rhymes?|ballads?|sonnets?|lyrics"), ["a poem"]),
        (Pattern("creative writing|creative works?"), ["a story", "a poem"]),
        (Pattern("history|histories|historical|the past|past (?:events|cases|times|centuries)|origins?"), ["history"]),
        (Pattern("prevent(?:ion|ing|ive)?|protect(?:ion|ing|ive)?|warning signs|precautions?|safety (?:advice|tips|measures)|how to (?:prevent|protect|avoid|stop|guard against|spot|recogni[sz]e|stay safe)|avoid(?:ance|ing)|guard(?:ing)? against"), ["prevention"]),
        (Pattern("translat(?:ions?|e|es|ing)"), ["a translation"]),
        (Pattern("summar(?:y|ies|i[sz]e|i[sz]es|i[sz]ing|i[sz]ations?)|shorten(?:ing|s)?|condens(?:e|es|ing)|sum(?:ming)? up"), ["a summary"]),
        (Pattern("transform(?:ations?|ing|s)?"), ["a translation", "a summary"]),
        (Pattern("confess(?:ions?|es|ing)?|admissions?|admit(?:s|ting)?|owning up|coming clean"), ["a confession"]),
        (Pattern("support(?:ing|ive)?|comfort(?:ing)?|consolation|cop(?:e|ing)"), ["support"]),
        (Pattern("expla(?:in|ins|ining|nations?)|defin(?:e|es|ing|itions?)|descriptions?|meanings?"), ["an explanation"]),
        (Pattern("statistics?|statistical|^(?:the )?(?:figures|numbers|data)|(?:figures|numbers|data) (?:on|about)"), ["statistics"]),
        (Pattern("opinions?|^(?:an? |the )?(?:personal |moral )?(?:views?|stances?|judge?ments?)|points? of view|tak(?:e|es|ing) (?:a )?sides?"), ["an opinion"]),
    ];

    private static readonly (Regex Pattern, string Being, string Title, bool State)[] UserPatterns =
    [
        User("nurses?|nursing", "nurse"), User("doctors?|physicians?", "doctor"), User("teachers?", "teacher"),
        User("police(?: officers?)?|law enforcement(?: officers?)?", "police officer"), User("lawyers?|attorneys?|solicitors?", "lawyer"), User("journalists?|reporters?", "journalist"),
        User("researchers?|scientists?", "researcher"), User("(?:security )?guards?(?! against)", "security guard"),
        (Pattern("professionals?|professions?|practitioners?"), Persona.ProfessionalBeing, WorldPolicy.ProfessionalTitle, false),
        (Pattern($@"int(?:ents?|entions?|ends?|ending){Oneself}|(?:means?|wants?|wish(?:es)?|plans?|threatens?|meaning|wanting|planning|threatening)(?: to)? (?:harm|hurt|injure|attack|kill){Oneself}|(?:harmful|malicious|violent|criminal) (?:aims?|purposes?|plans?)|(?:out for|seek(?:s|ing)?) revenge"),
            Persona.Harm.Being, Persona.Harm.ClauseTitle, true),
        (Pattern("distress(?:ed)?|crisis|desperate|desperation|despair(?:ing)?|cannot go on|end of (?:their|his|her) strength"), Persona.Distress.Being, Persona.Distress.ClauseTitle, true),
    ];

    private static readonly (Regex Pattern, string Name)[] CategoryPatterns =
    [
        (Pattern("violen(?:ce|t)"), "violence"), (Pattern("thefts?|stealing|thie(?:f|ves)|burglar(?:y|ies)|robber(?:y|ies)"), "theft"), (Pattern("frauds?|fraudulent|scams?"), "fraud"),
        (Pattern("hack(?:ing|ers?|s)?|cyber ?crimes?"), "hacking"), (Pattern("drugs?|narcotics?"), "drugs"), (Pattern("weapon(?:s|ry)?"), "weapons"),
        (Pattern("harass(?:ment|ing)?|bullying"), "harassment"), (Pattern("self ?harm(?:ing)?|self injur(?:y|ies)"), "self-harm"), (Pattern("cook(?:ing|ery)?"), "cooking"),
        (Pattern("gardens?|gardening"), "gardening"), (Pattern("sports?"), "sports"), (Pattern("music(?:al)?"), "music"), (Pattern("travel(?:l?ing|s)?"), "travel"),
        (Pattern("crafts?|handicrafts?"), "crafts"), (Pattern("pets?"), "pets"),
    ];

    /// <summary>What a lead names.</summary>
    /// <param name="Subjects">The world's names of acts and users, in order, without repeats.</param>
    /// <param name="Negated">Whether it names one behind "without", "not" and the like.</param>
    /// <param name="Clash">A part that names an act and a user together, or null.</param>
    /// <param name="Doubt">A part that names an act and a state of which only the act was taken, or null.</param>
    public sealed record Lead(IReadOnlyList<string> Subjects, bool Negated, string? Clash, string? Doubt);

    /// <summary>How conditions are written, one for each user.</summary>
    public static IEnumerable<string> KnownBeings => UserPatterns.Select(user => $"\"the user {user.Being}\"");

    /// <summary>The world's categories that a name could mean: the one it equals, or else all that it contains.</summary>
    public static IReadOnlyList<string> Categories(string name)
    {
        var words = Words(name);
        return Topic.Categories.FirstOrDefault(category => Words(category) == words) is { } equal ? [equal]
            : [.. CategoryPatterns.Where(category => category.Pattern.IsMatch(words)).Select(category => category.Name)];
    }

    /// <summary>The acts and users that a lead names. In each part between commas, "and" and "or" the first act counts: "a translation of instructions" is a translation.</summary>
    public static Lead Subjects(string lead)
    {
        var subjects = new List<string>();
        var negated = false;
        string? clash = null, doubt = null;
        foreach (var part in Separators().Split(lead))
        {
            var words = Words(part);
            var affirmed = Negation().Match(words) is { Success: true } negation ? words[..negation.Index].TrimEnd() : words;
            if (affirmed.Length < words.Length) negated |= FirstAct(words[affirmed.Length..]) is not null || FirstUser(words) is not null;
            var (act, user) = (FirstAct(affirmed), FirstUser(affirmed));
            // Support and confessions come from people in distress anyway.
            if (act is ["support" or "a confession"] && user == Persona.Distress.ClauseTitle) (doubt, user) = (part.Trim(), null);
            if (act is not null && user is not null) clash ??= part.Trim();
            else if (act is not null) subjects.AddRange(act);
            else if (user is not null) subjects.Add(user);
        }

        return new([.. subjects.Distinct()], negated, clash, doubt);
    }

    /// <summary>What a condition says that the user is, and whether it denies it.</summary>
    public static (IReadOnlyList<string> Beings, bool Negated) Beings(string condition)
    {
        var words = Words(condition);
        return ([.. UserPatterns.Where(user => user.Pattern.IsMatch(words)).Select(user => user.Being)], Denial().IsMatch(words));
    }

    /// <summary>"unless the user is a nurse" in a text whose exceptions are taken out, or null.</summary>
    public static string? LooseCondition(string rule) =>
        Loose().Matches(rule).Select(match => match.Value.TrimEnd()).FirstOrDefault(condition => Beings(condition).Beings.Count > 0);

    private static string[]? FirstAct(string words)
    {
        var best = (Index: int.MaxValue, Length: 0, Names: (string[]?)null);
        foreach (var (pattern, names) in ActPatterns)
            if (pattern.Match(words) is { Success: true } match && (match.Index < best.Index || (match.Index == best.Index && match.Length > best.Length))) best = (match.Index, match.Length, names);
        return best.Names;
    }

    // A role counts where somebody asks in it, or where it stands alone: "stories about teachers" is about stories.
    private static string? FirstUser(string words)
    {
        foreach (var (pattern, _, title, state) in UserPatterns)
            if (pattern.Match(words) is { Success: true } match && (state || Asking().IsMatch(words) || Article().Replace(words, "") == match.Value)) return title;
        return null;
    }

    private static string Words(string text) => NoLetters().Replace(text.ToLowerInvariant(), " ").Trim();

    private static (Regex, string, string, bool) User(string pattern, string role)
    {
        var persona = Persona.Roles.First(known => known.Name == role);
        return (Pattern(pattern), persona.Being, persona.ClauseTitle, false);
    }

    private static Regex Pattern(string alternatives) => new($@"\b(?:{alternatives})\b", RegexOptions.CultureInvariant);

    [GeneratedRegex(@"[^\p{L}]+", RegexOptions.CultureInvariant)]
    private static partial Regex NoLetters();

    [GeneratedRegex(@"[,;:/&()–—.]|\b(?:and|or|plus|as well as)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Separators();

    [GeneratedRegex(@"\b(?:without|no|not|never|nor|except|excluding|other than|rather than|instead of|but|beyond|free of)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Negation();

    [GeneratedRegex(@"\b(?:not|no|never|without|isn t|doesn t|nobody|denies)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Denial();

    [GeneratedRegex(@"\b(?:asked|asks|asking|requested|requests?|questions?|users?|someone|anyone|person|persons|people|stated|states|says|by|from)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Asking();

    [GeneratedRegex(@"^(?:an?|the|any) ", RegexOptions.CultureInvariant)]
    private static partial Regex Article();

    [GeneratedRegex(@"\b(?:unless|except (?:if|when|where|for)|(?<!\bnot )only (?:for|to|by|from|when|if))\b[^.;]{0,200}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Loose();
}
