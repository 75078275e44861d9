using System.Globalization;
using System.Text;

namespace Deliberate.Distillation;

/// <summary>
/// Tells in Markdown what a set of training examples is: counts by category and action, how many samples survived each filter, sources and their licences. It quotes no
/// example. Stateless.
/// </summary>
public static class DataCard
{
    private const string Unknown = "unknown";

    // The reasons a distiller gives, by how they begin, in the order in which it checks.
    private static readonly (string Begins, string Filter)[] Filters =
    [
        ("format: ", "format filter"), ("unscored", "no score from the judge"), ("scored ", "judge's score too low"), ("leak: the prompt", "specification in the prompt"),
        ("leak: the answer", "specification in the answer"), ("leak: the thought", "thought that points at its prompt"), ("a copy", "copy of a kept sample"), ("enough", "enough better samples of the prompt"),
    ];

    /// <summary>Writes the card.</summary>
    /// <param name="title">The title.</param>
    /// <param name="kept">The examples.</param>
    /// <param name="rejected">The samples that were not kept.</param>
    /// <param name="exports">Formats and files that the examples were written to; may be empty.</param>
    public static string Write(string title, IReadOnlyList<TrainingExample> kept, IReadOnlyList<RejectedSample> rejected, IReadOnlyList<(string Format, string File)>? exports = null)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(rejected);
        var text = new StringBuilder();
        var total = kept.Count + rejected.Count;
        Line(text, $"# {title}");
        Line(text, $"");
        Line(text, $"Prompts with the chains of thought and answers that a model wrote with a policy in its context; the policy was taken out afterwards (Deliberative Alignment). Texts may be about harmful subjects.");
        Line(text, $"");
        Line(text, $"- examples: {kept.Count} of {total} samples ({Share(kept.Count, total)})");
        Line(text, $"- prompts: {kept.Select(example => example.Conversation).Distinct().Count()}");
        Line(text, $"- policies (hash): {Listed(kept.Select(example => example.Provenance.PolicyHash))}");
        Line(text, $"- models: {Listed(kept.Select(example => example.Provenance.Model))}");
        Line(text, $"- prompt formats: {Listed(kept.Select(example => example.Provenance.TemplateVersion))}");
        foreach (var (format, file) in exports ?? []) Line(text, $"- {format}: `{file}`");

        Line(text, $"");
        Line(text, $"## By category and action");
        Line(text, $"");
        Table(text, ["category", "action", "samples", "kept", "survival"], kept.Select(example => (Key: (example.Category ?? "none", example.Action ?? Unknown), Kept: true))
            .Concat(rejected.Select(sample => (Key: (sample.Sample.Prompt.Category ?? "none", sample.Action ?? Unknown), Kept: false)))
            .GroupBy(entry => entry.Key).OrderBy(group => group.Key.Item1, StringComparer.Ordinal).ThenBy(group => group.Key.Item2, StringComparer.Ordinal)
            .Select(group => (string[])[group.Key.Item1, group.Key.Item2, Number(group.Count()), Number(group.Count(entry => entry.Kept)), Share(group.Count(entry => entry.Kept), group.Count())]));

        Line(text, $"");
        Line(text, $"## By filter");
        Line(text, $"");
        var left = total;
        var rows = new List<string[]>();
        foreach (var (filter, dropped) in Filters.Select(filter => filter.Filter).Append("other").Select(name => (name, rejected.Count(sample => FilterOf(sample.Reason) == name))))
        {
            if (dropped == 0) continue;
            rows.Add([filter, Number(left), Number(dropped), Share(left - dropped, left)]);
            left -= dropped;
        }

        Table(text, ["filter", "samples", "dropped", "survival"], rows);

        Line(text, $"");
        Line(text, $"## Sources");
        Line(text, $"");
        Table(text, ["source", "licence", "examples"], kept.GroupBy(example => (Source: example.Source ?? Unknown, Licence: example.Licence ?? Unknown))
            .OrderBy(group => group.Key.Source, StringComparer.Ordinal).ThenBy(group => group.Key.Licence, StringComparer.Ordinal)
            .Select(group => (string[])[group.Key.Source, group.Key.Licence, Number(group.Count())]));
        if (kept.Any(example => example.Licence is null)) Line(text, $"\nSome examples come from prompts without a licence: see to it before you pass them on. Prompts carry theirs in the tags `{TrainingExample.SourceTag}` and `{TrainingExample.LicenceTag}`.");
        return text.ToString();
    }

    private static string FilterOf(string reason) => Filters.FirstOrDefault(filter => reason.StartsWith(filter.Begins, StringComparison.Ordinal)).Filter ?? "other";

    private static void Table(StringBuilder text, string[] head, IEnumerable<string[]> rows)
    {
        Row(text, head);
        Row(text, [.. head.Select(_ => "---")]);
        foreach (var row in rows) Row(text, row);
    }

    private static void Row(StringBuilder text, string[] cells) => Line(text, $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ")))} |");

    private static string Listed(IEnumerable<string?> values) => values.Select(value => value ?? Unknown).Distinct().Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } all ? string.Join(", ", all) : "none";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Share(int part, int whole) => whole == 0 ? "–" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:0.0} %");

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
