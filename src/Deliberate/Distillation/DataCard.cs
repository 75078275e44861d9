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
    /// <remarks>Each of the two is gone through once, so that they may be streams; what is held of them are counts and the ids of prompts.</remarks>
    public static string Write(string title, IEnumerable<TrainingExample> kept, IEnumerable<RejectedSample> rejected, IReadOnlyList<(string Format, string File)>? exports = null)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(rejected);
        var counts = new Counts();
        foreach (var example in kept) counts.Add(example);
        foreach (var sample in rejected) counts.Add(sample);
        var text = new StringBuilder();
        var total = counts.Kept + counts.Dropped.Values.Sum();
        Line(text, $"# {title}");
        Line(text, $"");
        Line(text, $"Prompts with the chains of thought and answers that a model wrote with a policy in its context; the policy was taken out afterwards (Deliberative Alignment). Texts may be about harmful subjects.");
        Line(text, $"");
        Line(text, $"- examples: {counts.Kept} of {total} samples ({Share(counts.Kept, total)})");
        Line(text, $"- prompts: {counts.Prompts.Count}");
        Line(text, $"- policies (hash): {Listed(counts.Policies)}");
        Line(text, $"- models: {Listed(counts.Models)}");
        Line(text, $"- prompt formats: {Listed(counts.Formats)}");
        foreach (var (format, file) in exports ?? []) Line(text, $"- {format}: `{file}`");

        Line(text, $"");
        Line(text, $"## By category and action");
        Line(text, $"");
        Table(text, ["category", "action", "samples", "kept", "survival"], counts.Cells.Select(cell =>
            (string[])[cell.Key.Category, cell.Key.Action, Number(cell.Value.Total), Number(cell.Value.Kept), Share(cell.Value.Kept, cell.Value.Total)]));

        Line(text, $"");
        Line(text, $"## By filter");
        Line(text, $"");
        var left = total;
        var rows = new List<string[]>();
        foreach (var filter in Filters.Select(filter => filter.Filter).Append("other"))
        {
            if (!counts.Dropped.TryGetValue(filter, out var dropped)) continue;
            rows.Add([filter, Number(left), Number(dropped), Share(left - dropped, left)]);
            left -= dropped;
        }

        Table(text, ["filter", "samples", "dropped", "survival"], rows);

        Line(text, $"");
        Line(text, $"## Sources");
        Line(text, $"");
        Table(text, ["source", "licence", "examples"], counts.Sources.Select(source => (string[])[source.Key.Source, source.Key.Licence, Number(source.Value)]));
        if (counts.Unlicensed) Line(text, $"\nSome examples come from prompts without a licence: see to it before you pass them on. Prompts carry theirs in the tags `{TrainingExample.SourceTag}` and `{TrainingExample.LicenceTag}`.");
        return text.ToString();
    }

    private sealed class Counts
    {
        private static readonly Comparer<(string First, string Second)> ByName =
            Comparer<(string First, string Second)>.Create((a, b) => string.CompareOrdinal(a.First, b.First) is not 0 and var order ? order : string.CompareOrdinal(a.Second, b.Second));

        public int Kept { get; private set; }

        public bool Unlicensed { get; private set; }

        public HashSet<string> Prompts { get; } = new(StringComparer.Ordinal);

        public HashSet<string?> Policies { get; } = [];

        public HashSet<string?> Models { get; } = [];

        public HashSet<string?> Formats { get; } = [];

        public SortedDictionary<(string Category, string Action), (int Kept, int Total)> Cells { get; } = new(ByName);

        public Dictionary<string, int> Dropped { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<(string Source, string Licence), int> Sources { get; } = new(ByName);

        public void Add(TrainingExample example)
        {
            Kept++;
            Prompts.Add(example.Id.LastIndexOf('#') is > 0 and var end ? example.Id[..end] : example.Id);
            Policies.Add(example.Provenance.PolicyHash);
            Models.Add(example.Provenance.Model);
            Formats.Add(example.Provenance.TemplateVersion);
            Unlicensed |= example.Licence is null;
            var source = (example.Source ?? Unknown, example.Licence ?? Unknown);
            Sources[source] = Sources.GetValueOrDefault(source) + 1;
            Count(example.Category, example.Action, 1);
        }

        public void Add(RejectedSample sample)
        {
            var filter = FilterOf(sample.Reason);
            Dropped[filter] = Dropped.GetValueOrDefault(filter) + 1;
            Count(sample.Sample.Prompt.Category, sample.Action, 0);
        }

        private void Count(string? category, string? action, int kept)
        {
            var cell = (category ?? "none", action ?? Unknown);
            var before = Cells.GetValueOrDefault(cell);
            Cells[cell] = (before.Kept + kept, before.Total + 1);
        }
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
