using System.Text;

namespace Deliberate.Policies;

/// <summary>What a policy says, apart from where it was read.</summary>
internal sealed record PolicyParts(
    string Title, string Introduction, IReadOnlyList<string> Principles, StyleGuide Refusal, StyleGuide SafeCompletion, string Precedence, IReadOnlyList<Category> Categories);

/// <summary>Writes a policy in the one form that its hash is taken over; reading that form gives the same policy.</summary>
internal static class PolicyMarkdown
{
    /// <summary>The sections of clauses with their actions, in the order that they are written in.</summary>
    public static IReadOnlyList<(PolicyAction Action, string Title)> ClauseSections { get; } =
        [(PolicyAction.Comply, "Allowed"), (PolicyAction.Refuse, "Disallowed"), (PolicyAction.SafeComplete, "Safe completion")];

    /// <summary>The files by name.</summary>
    public static SortedDictionary<string, string> Files(PolicyParts policy)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["policy.md"] = Main(policy) };
        foreach (var category in policy.Categories) files[category.File] = Category(category, 1, code => $"**{code}**", sources: true);
        return files;
    }

    /// <summary>The styles, principles and precedence, each as a section.</summary>
    public static string Guidelines(PolicyParts policy)
    {
        var text = new StringBuilder();
        Section(text, "Principles", string.Join('\n', policy.Principles.Select(principle => "- " + principle)));
        Section(text, "Refusal style", policy.Refusal);
        Section(text, "Safe-completion style", policy.SafeCompletion);
        Section(text, "Precedence", policy.Precedence);
        return text.ToString().TrimEnd();
    }

    /// <summary>A category in full.</summary>
    /// <param name="category">The category.</param>
    /// <param name="level">Level of its title's heading.</param>
    /// <param name="mark">How a code is set off.</param>
    /// <param name="sources">Whether to say where clauses were taken from.</param>
    public static string Category(Category category, int level, Func<string, string> mark, bool sources = false)
    {
        var hashes = new string('#', level);
        var text = new StringBuilder($"{hashes} {category.Title}\n\n");
        if (category.Summary.Length > 0) text.Append(category.Summary).Append("\n\n");
        if (category.Terms.Count > 0)
        {
            text.Append($"{hashes}# Terms\n\n");
            foreach (var term in category.Terms) text.Append($"- **{term.Name}**: {term.Meaning}\n");
            text.Append('\n');
        }

        foreach (var (action, title) in ClauseSections)
        {
            var clauses = category.Clauses.Where(clause => clause.Action == action).ToArray();
            if (clauses.Length == 0) continue;
            text.Append($"{hashes}# {title}\n\n");
            foreach (var clause in clauses)
            {
                text.Append($"- {mark(clause.Code)} {clause.Text}\n");
                foreach (var example in clause.Examples) text.Append($"  - Example: {example}\n");
                foreach (var exclusion in clause.Exclusions) text.Append($"  - Exclusion: {exclusion}\n");
                if (sources && clause.Source is not null) text.Append($"  - Source: {clause.Source}\n");
            }

            text.Append('\n');
        }

        return text.ToString().TrimEnd() + "\n";
    }

    /// <summary>Running text with its lists.</summary>
    public static string Text(IReadOnlyList<Block> blocks)
    {
        var text = new StringBuilder();
        for (var i = 0; i < blocks.Count; i++)
        {
            if (i > 0) text.Append(blocks[i - 1].Kind == BlockKind.Bullet && blocks[i].Kind == BlockKind.Bullet ? "\n" : "\n\n");
            text.Append(blocks[i].Kind switch
            {
                BlockKind.Heading => new string('#', blocks[i].Level) + ' ',
                BlockKind.Bullet => blocks[i].Level == 0 ? "- " : "  - ",
                _ => "",
            }).Append(blocks[i].Text);
        }

        return text.ToString().TrimEnd();
    }

    private static string Main(PolicyParts policy) =>
        $"# {policy.Title}\n\n{(policy.Introduction.Length > 0 ? policy.Introduction + "\n\n" : "")}{Guidelines(policy)}".TrimEnd() + "\n";

    private static void Section(StringBuilder text, string title, StyleGuide style)
    {
        if (style.Name.Length + style.Text.Length > 0) Section(text, style.Name.Length > 0 ? $"{title}: {style.Name}" : title, style.Text.Length > 0 ? style.Text : null);
    }

    private static void Section(StringBuilder text, string title, string? content)
    {
        if (content == "") return;
        text.Append("## ").Append(title).Append("\n\n");
        if (content is not null) text.Append(content).Append("\n\n");
    }
}
