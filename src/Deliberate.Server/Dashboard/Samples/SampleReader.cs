using Deliberate.Distillation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Report;

namespace Deliberate.Server.Dashboard.Samples;

/// <summary>Reads samples as a caller may see them: what only auditors may read is left out here and nowhere later.</summary>
/// <param name="run">The run.</param>
/// <param name="clauses">Clauses of its policy.</param>
/// <param name="caller">Who asks.</param>
internal sealed class SampleReader(RunPlace run, ClauseIndex clauses, Caller caller)
{
    public const int PageSize = 25;
    private static readonly HashSet<string> OwnKinds = [VerdictKinds.Unparsable, VerdictKinds.OutOfRange, VerdictKinds.Truncated, VerdictKinds.TimedOut, VerdictKinds.Failed];

    /// <summary>One page of the samples that a filter takes.</summary>
    public SampleList Page(SampleFilter filter, int page)
    {
        var all = run.Samples.Entries;
        var matching = all.Where(filter.Takes).ToArray();
        var pages = Math.Max(1, (matching.Length + PageSize - 1) / PageSize);
        page = Math.Clamp(page, 1, pages);
        return new([.. matching.Skip((page - 1) * PageSize).Take(PageSize).Select(View).OfType<SampleView>()], page, pages, matching.Length, all.Count,
            Facets(all.Select(entry => entry.Category)), Facets(all.Select(entry => entry.Action)),
            Fates(all));
    }

    /// <summary>All samples of a prompt.</summary>
    public IReadOnlyList<SampleView> OfPrompt(string prompt) => [.. run.Samples.Entries.Where(entry => entry.Prompt == prompt).OrderBy(entry => entry.Index).Select(View).OfType<SampleView>()];

    /// <summary>The first sample that a filter takes; the one after another, when that is told; null when there is none.</summary>
    public SampleView? First(SampleFilter filter, string? after)
    {
        var matching = run.Samples.Entries.Where(filter.Takes).ToArray();
        var at = after is null ? -1 : Array.FindIndex(matching, entry => entry.Id == after);
        return matching.Length == 0 ? null : View(matching[(at + 1) % matching.Length]);
    }

    /// <summary>The sample as the run has it, for those who work with it and do not show it.</summary>
    public static Sample? SampleOf(SampleEntry entry)
    {
        var span = entry.Source ?? entry.Rejection ?? entry.Example;
        // A file that was replaced a moment ago has another line there.
        return span?.Read() is { } line && SampleLines.SampleOf(line) is { } sample && sample.Id == entry.Id ? sample : null;
    }

    private SampleView? View(SampleEntry entry)
    {
        if (SampleOf(entry) is not { } sample) return null;
        var rejection = entry.Rejection?.Read() is { } line ? SampleLines.Read<RejectedSample>(line) : null;
        var example = entry.Example?.Read() is { } kept && SampleLines.Read<SampleLines.Example>(kept) is { } read ? SampleLines.SampleOf(read)?.Prompt.Conversation : null;
        return new(
            entry.Id, entry.Prompt, entry.Index, sample.Prompt.Conversation, entry.Category, entry.Action, entry.Score, entry.Fate, ReasonOf(entry, rejection?.Reason), sample.Completion.Answer,
            sample.Completion.Truncated, ThoughtView.Of(sample.Completion.Thinking, caller),
            [.. entry.Cited.Where(code => clauses.Clause(code) is not null)], Verdicts(entry), sample.Provenance, example, entry.Review);
    }

    private IReadOnlyList<VerdictView> Verdicts(SampleEntry entry) =>
        [.. entry.Verdicts.Select(span => span.Read()).OfType<byte[]>().SelectMany(line =>
            SampleLines.Read<SampleLines.Logged<Verdict>>(line) is { } logged ? [logged.Item] : SampleLines.Read<SampleLines.Judged>(line)?.Judgement?.Verdicts ?? []).Select(View)];

    // This judge had read the thought: its words may quote it, and so may the name that it gives a fault.
    private VerdictView View(Verdict verdict) => caller.MayReadThoughts ? new(verdict.Score, verdict.Kind, verdict.Reason, verdict.Criteria)
        : new(verdict.Score, verdict.Kind is { } kind && OwnKinds.Contains(kind) ? kind : null, null, verdict.Criteria);

    private string? ReasonOf(SampleEntry entry, string? reason)
    {
        if (reason is null || caller.MayReadThoughts) return reason;
        return entry.Fate switch
        {
            // "scored 0.25, below 1: JUDGE'S WORDS", "leak: the thought points at …: \"WORDS\""
            SampleFate.LowScore => reason.Split(':')[0],
            SampleFate.Leak when reason.StartsWith("leak: the thought", StringComparison.Ordinal) => "leak: the thought points at a text in its prompt",
            SampleFate.Other => "another reason, which may quote the thought",
            _ => reason,
        };
    }

    private static IReadOnlyList<Facet> Fates(IReadOnlyList<SampleEntry> entries)
    {
        var counts = entries.CountBy(entry => entry.Fate).ToDictionary();
        return [.. SampleFates.All.Select(fate => new Facet(fate.Key, fate.Title, counts.GetValueOrDefault(fate.Fate))).Where(facet => facet.Count > 0)];
    }

    private static IReadOnlyList<Facet> Facets(IEnumerable<string?> values) =>
        [.. values.CountBy(value => value ?? SampleFilter.None).OrderBy(group => group.Key == SampleFilter.None).ThenBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new Facet(group.Key, group.Key, group.Value))];
}
