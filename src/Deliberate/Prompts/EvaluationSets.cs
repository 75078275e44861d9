using System.Runtime.InteropServices;
using Deliberate.Conversations;

namespace Deliberate.Prompts;

/// <summary>
/// The prompts that a model will be measured on, to keep them out of what it is trained on. A prompt is contaminated when what its user says
/// shares a run of n words with an evaluation prompt (the rule of GPT-3, arXiv 2005.14165, appendix C), or, where one of the two is shorter than that,
/// when the shorter stands in the other as a whole and has at least five words or is all of it; and when the two are almost the same text. Adding is
/// not thread-safe; finding is, once all is added.
/// </summary>
public sealed class EvaluationSets
{
    private const int LeastWords = 5;
    private const int Unknown = -1;
    private const int Boundary = -2;

    private readonly int _run;
    private readonly int _anchor;
    private readonly NearDuplicates? _near;
    private readonly List<int> _nearPrompts = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _whole = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, List<(int Prompt, int At)>> _anchors = [];
    private readonly List<(string File, string Id, int[] Words)> _prompts = [];

    /// <summary>Empty sets.</summary>
    /// <param name="run">n: the words of a run that two prompts may not share, at least 2.</param>
    /// <param name="nearDuplicate">The least Jaccard index at which two texts are almost the same, from 0.4; above 1 they never are.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of range.</exception>
    public EvaluationSets(int run = 13, double nearDuplicate = 0.85)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(run, 2);
        (_run, _anchor) = (run, Math.Min(run, LeastWords));
        _near = nearDuplicate > 1 ? null : new NearDuplicates(nearDuplicate);
    }

    /// <summary>The number of prompts.</summary>
    public int Count => _prompts.Count;

    /// <summary>Adds a file of prompts.</summary>
    /// <returns>The number of prompts in it.</returns>
    /// <exception cref="InvalidDataException">As in <see cref="PromptFile.ReadAsync"/>.</exception>
    public async Task<int> AddAsync(string path, PromptFileOptions? options = null, CancellationToken cancellationToken = default)
    {
        var before = Count;
        await foreach (var prompt in PromptFile.ReadAsync(path, options, cancellationToken).ConfigureAwait(false)) Add(prompt.File, prompt.Prompt);
        return Count - before;
    }

    /// <summary>Adds a prompt.</summary>
    /// <param name="file">The file that reports name.</param>
    /// <param name="prompt">The prompt.</param>
    public void Add(string file, Prompt prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var text = PromptText.UserWords(prompt.Conversation);
        var words = Numbered(text, add: true);
        if (_near is not null && _near.Find(text, 0, add: true) is null) _nearPrompts.Add(_prompts.Count);
        _whole.TryAdd(text, _prompts.Count);
        for (var at = 0; at + _anchor <= words.Length; at++)
            if (Key(words.AsSpan(at, _anchor)) is { } key) (CollectionsMarshal.GetValueRefOrAddDefault(_anchors, key, out _) ??= []).Add((_prompts.Count, at));
        _prompts.Add((file, prompt.Id, words));
    }

    /// <summary>What the prompt has in common with the evaluation prompt that it shares most with; null when it is clean.</summary>
    public Contamination? Find(Prompt prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var text = PromptText.UserWords(prompt.Conversation);
        var words = Numbered(text, add: false);
        if (_whole.TryGetValue(text, out var same)) return new(_prompts[same].File, _prompts[same].Id, words.Count(word => word != Boundary), 1, 1);
        if (Longest(words) is { } found) return found;
        return _near?.Find(text, 0, add: false) is var (number, similarity)
            ? new(_prompts[_nearPrompts[number]].File, _prompts[_nearPrompts[number]].Id, 0, 0, similarity) : null;
    }

    private Contamination? Longest(int[] words)
    {
        var total = words.Count(word => word != Boundary);
        var runs = new Dictionary<int, (int Longest, bool[] Covered)>();
        for (var at = 0; at + _anchor <= words.Length; at++)
        {
            if (Key(words.AsSpan(at, _anchor)) is not { } key || !_anchors.TryGetValue(key, out var places)) continue;
            foreach (var (number, there) in places)
            {
                var other = _prompts[number].Words;
                // Only where a run begins: it was measured there.
                if (at > 0 && there > 0 && words[at - 1] >= 0 && words[at - 1] == other[there - 1]) continue;
                var length = 0;
                while (at + length < words.Length && there + length < other.Length && words[at + length] >= 0 && words[at + length] == other[there + length]) length++;
                if (length < Math.Min(_run, Math.Min(words.Length, other.Length)) || length < _anchor) continue;
                ref var run = ref CollectionsMarshal.GetValueRefOrAddDefault(runs, number, out var known);
                if (!known) run.Covered = new bool[words.Length];
                run.Longest = Math.Max(run.Longest, length);
                Array.Fill(run.Covered, true, at, length);
            }
        }

        if (runs.Count == 0) return null;
        var (best, most) = runs.OrderByDescending(run => run.Value.Covered.Count(covered => covered)).ThenBy(run => run.Key).First();
        return new(_prompts[best].File, _prompts[best].Id, most.Longest, (double)most.Covered.Count(covered => covered) / total);
    }

    // Turns are apart: no run goes from one into the next.
    private int[] Numbered(string text, bool add)
    {
        var numbers = new List<int>();
        foreach (var turn in text.Split('\n'))
        {
            if (numbers.Count > 0) numbers.Add(Boundary);
            foreach (var word in turn.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                if (_numbers.TryGetValue(word, out var number)) numbers.Add(number);
                else
                {
                    numbers.Add(add ? _numbers.Count : Unknown);
                    if (add) _numbers.Add(word, _numbers.Count);
                }
        }

        return [.. numbers];
    }

    private static ulong? Key(ReadOnlySpan<int> words)
    {
        var key = 14695981039346656037;
        foreach (var word in words)
        {
            if (word < 0) return null;
            key = (key ^ (uint)word) * 1099511628211;
        }

        return key;
    }
}
