using Deliberate.Distillation.Reviews;
using Deliberate.Evaluation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Server.Dashboard.Files;
using Deliberate.Server.Dashboard.Runs;

namespace Deliberate.Server.Dashboard.Samples;

/// <summary>How much there is of a run's samples.</summary>
/// <param name="Samples">Samples.</param>
/// <param name="Verdicts">Runs of the judge.</param>
/// <param name="Judged">Samples that were judged or sorted out.</param>
/// <param name="Kept">Training examples.</param>
internal sealed record SampleCounts(int Samples, int Verdicts, int Judged, int Kept);

/// <summary>
/// Knows every sample of a run by what the list is filtered by, and where its texts stand in the files; follows the files while the run is at work. About 400 bytes a
/// sample are held, no answers and no thoughts. Thread-safe.
/// </summary>
internal sealed class SampleIndex
{
    private readonly Lock _gate = new();
    private readonly RunPlace _run;
    private readonly Dictionary<string, int> _positions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _requests = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _words = new(StringComparer.Ordinal);
    private readonly List<SampleEntry> _entries = [];
    private List<GrowingLines> _files = [];
    private string _fileNames = "";
    private SampleEntry[]? _snapshot;
    private int _verdicts;

    public SampleIndex(RunPlace run) => _run = run;

    /// <summary>All samples in the order in which they came, as the files have them now.</summary>
    public IReadOnlyList<SampleEntry> Entries
    {
        get
        {
            lock (_gate)
            {
                Refresh();
                return _snapshot ??= [.. _entries];
            }
        }
    }

    public SampleCounts Counts
    {
        get
        {
            var entries = Entries;
            return new(entries.Count, _verdicts, entries.Count(entry => entry.JudgeRuns > 0 || entry.Fate != SampleFate.Unjudged), entries.Count(entry => entry.Fate == SampleFate.Kept));
        }
    }

    /// <summary>The sample of this id, or null.</summary>
    public SampleEntry? Find(string id)
    {
        var entries = Entries;
        lock (_gate) return _positions.TryGetValue(id, out var at) && at < entries.Count && entries[at].Id == id ? entries[at] : null;
    }

    private void Refresh()
    {
        var names = Names();
        if (string.Join('\n', names.Select(file => file.Path)) is var all && all != _fileNames)
        {
            // Another stage has begun or ended: what is read from where has changed.
            Forget();
            (_fileNames, _files) = (all, [.. names.Select(file => new GrowingLines(file.Path, file.Replaced))]);
        }

        // An order in which each line finds what it adds to. A file that was replaced takes back what it said: all is read anew.
        for (var again = true; again;)
        {
            again = false;
            foreach (var file in _files)
            {
                var reset = false;
                if (file.Refresh(() => reset = true, (span, line) => { if (!reset) Take(span, line); })) _snapshot = null;
                if (!reset) continue;
                Forget();
                _files = [.. names.Select(name => new GrowingLines(name.Path, name.Replaced))];
                again = true;
                break;
            }
        }
    }

    private void Forget()
    {
        _positions.Clear();
        _requests.Clear();
        _entries.Clear();
        _verdicts = 0;
        _snapshot = null;
    }

    private List<(string Path, bool Replaced)> Names()
    {
        var names = new List<(string, bool)>();
        names.AddRange(_run.StageFiles("generate-", ".jsonl").Select(path => (path, false)));
        foreach (var name in (ReadOnlySpan<string>)["samples.jsonl", "judged.jsonl"])
        {
            // While a stage is at work its file has another name; the last whole one may be of an earlier time.
            if (File.Exists(_run.PathOf(name + ".tmp"))) names.Add((_run.PathOf(name + ".tmp"), false));
            else if (File.Exists(_run.PathOf(name))) names.Add((_run.PathOf(name), true));
        }

        names.AddRange(_run.StageFiles("judge-", ".jsonl").Select(path => (path, false)));
        names.Add((_run.PathOf("rejected.jsonl"), true));
        names.Add((_run.PathOf("training.jsonl"), true));
        names.Add((_run.PathOf(ReviewFile.Name), false));
        return names;
    }

    private void Take(LineSpan span, ReadOnlySpan<byte> line)
    {
        var name = Path.GetFileName(span.Path);
        if (name == ReviewFile.Name) Take(SampleLines.Read<SampleReview>(line));
        else if (name == "training.jsonl") TakeExample(span, line);
        else if (name == "rejected.jsonl") TakeRejected(span, line);
        else if (name.StartsWith("judged.jsonl", StringComparison.Ordinal)) TakeJudged(span, line);
        else if (name.StartsWith("samples.jsonl", StringComparison.Ordinal)) Take(span, SampleLines.Read<Sample>(line));
        else if (name.StartsWith("judge-", StringComparison.Ordinal)) Take(span, SampleLines.Read<SampleLines.Logged<Verdict>>(line));
        else Take(span, SampleLines.Read<SampleLines.Logged<Sample>>(line)?.Item);
    }

    private int? Take(LineSpan span, Sample? sample)
    {
        if (sample is null) return null;
        if (_positions.TryGetValue(sample.Id, out var known)) return known;
        var entry = new SampleEntry(sample.Id, Word(sample.Prompt.Id)!, sample.Index, RequestOf(sample), Word(sample.Prompt.Category))
        {
            Source = span,
            Cited = [.. ClauseCitations.Find(sample.Completion.Thinking).Select(code => Word(code)!)],
        };
        _positions[entry.Id] = _entries.Count;
        _entries.Add(entry);
        return _entries.Count - 1;
    }

    // The sample that a line is about: one that is known, else the one that the line itself holds.
    private int? PositionOf(string? id, LineSpan span, ReadOnlySpan<byte> line) => id is null ? null : _positions.TryGetValue(id, out var known) ? known : Take(span, SampleLines.SampleOf(line));

    private void TakeJudged(LineSpan span, ReadOnlySpan<byte> line)
    {
        var judged = SampleLines.Read<SampleLines.JudgedName>(line);
        if (PositionOf(judged?.Sample.Id, span, line) is not { } at) return;
        var judgement = judged!.Judgement;
        _verdicts += judgement?.Verdicts.Count ?? 0;
        _entries[at] = _entries[at] with
        {
            Verdicts = [span],
            Score = judgement?.Min,
            JudgeRuns = judgement?.Verdicts.Count ?? 0,
            Fate = judged.FormatReason is null ? SampleFate.Judged : SampleFate.Format,
        };
    }

    // "SAMPLE#RUN"
    private void Take(LineSpan span, SampleLines.Logged<Verdict>? line)
    {
        if (line is null || line.Id.LastIndexOf('#') is not (> 0 and var end) || !_positions.TryGetValue(line.Id[..end], out var at)) return;
        _verdicts++;
        var entry = _entries[at];
        _entries[at] = entry with
        {
            Verdicts = [.. entry.Verdicts, span],
            Score = entry.Score is { } score && line.Item.Score is { } other ? Math.Min(score, other) : entry.Score ?? line.Item.Score,
            JudgeRuns = entry.JudgeRuns + 1,
            Fate = SampleFate.Judged,
        };
    }

    private void TakeRejected(LineSpan span, ReadOnlySpan<byte> line)
    {
        var rejected = SampleLines.Read<SampleLines.RejectedName>(line);
        if (PositionOf(rejected?.Sample.Id, span, line) is { } at) _entries[at] = _entries[at] with { Rejection = span, Action = Word(rejected!.Action), Fate = SampleFates.Of(rejected.Reason) };
    }

    private void TakeExample(LineSpan span, ReadOnlySpan<byte> line)
    {
        var example = SampleLines.Read<SampleLines.ExampleName>(line);
        if (PositionOf(example?.Id, span, line) is { } at) _entries[at] = _entries[at] with { Example = span, Action = Word(example!.Action), Fate = SampleFate.Kept };
    }

    private void Take(SampleReview? review)
    {
        if (review is not null && _positions.TryGetValue(review.Sample, out var at)) _entries[at] = _entries[at] with { Review = review };
    }

    // Samples of one prompt share its words.
    private string RequestOf(Sample sample) => _requests.TryGetValue(sample.Prompt.Id, out var known) ? known : _requests[sample.Prompt.Id] = sample.Prompt.Conversation.Request;

    private string? Word(string? word) => word is null ? null : _words.TryGetValue(word, out var known) ? known : _words[word] = word;
}
