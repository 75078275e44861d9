using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Conversations;

namespace Deliberate.Prompts;

/// <summary>A prompt that is fit for use.</summary>
/// <param name="Source">The prompt as it was read.</param>
/// <param name="Prompt">The prompt, under an id that no other one of the preparation has.</param>
/// <param name="HeldOut">True when it is to measure on and not to train on.</param>
public sealed record PreparedPrompt(SourcePrompt Source, Prompt Prompt, bool HeldOut);

/// <summary>
/// Makes one clean set of the prompts of any number of files: leaves out duplicates, near duplicates and what contaminates an evaluation, and
/// splits the rest. Of two that are alike, the first stays. Prompts are compared by what users say, and only where the system's words are the same.
/// Prompts stream through; what is remembered of each is less than two kilobytes. Not thread-safe; one for each set.
/// </summary>
public sealed class PromptPreparation
{
    private readonly PreparationOptions _options;
    private readonly EvaluationSets? _evaluation;
    private readonly NearDuplicates? _near;
    private readonly List<int> _nearKept = [];
    private readonly Dictionary<UInt128, int> _exact = [];
    private readonly List<(string Id, string Place, IReadOnlyList<string> Categories)> _kept = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly List<DroppedPrompt> _dropped = [];
    private readonly Dictionary<string, int> _contaminated = new(StringComparer.Ordinal);
    private int _read, _train, _heldOut, _renamed;

    /// <summary>A preparation of one set.</summary>
    /// <param name="options">How prompts are prepared.</param>
    /// <param name="evaluation">What the set must be clean of, or null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public PromptPreparation(PreparationOptions? options = null, EvaluationSets? evaluation = null)
    {
        (_options, _evaluation) = (options ?? new(), evaluation);
        if (_options.HeldOut is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(options), _options.HeldOut, "The share held out lies between 0 and 1.");
        _near = _options.NearDuplicate > 1 ? null : new NearDuplicates(_options.NearDuplicate);
    }

    /// <summary>What was done so far.</summary>
    public PreparationReport Report => new(_read, _train, _heldOut, _renamed, [.. _dropped], new Dictionary<string, int>(_contaminated));

    /// <summary>The prompts that stay, in order. May be called for one file after the other.</summary>
    public async IAsyncEnumerable<PreparedPrompt> RunAsync(IAsyncEnumerable<SourcePrompt> prompts, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        await foreach (var prompt in prompts.WithCancellation(cancellationToken).ConfigureAwait(false))
            if (Add(prompt) is { } prepared) yield return prepared;
    }

    /// <summary>Takes one prompt in.</summary>
    /// <returns>The prompt as it stays, or null when it was left out.</returns>
    public PreparedPrompt? Add(SourcePrompt source)
    {
        ArgumentNullException.ThrowIfNull(source);
        _read++;
        var conversation = source.Prompt.Conversation;
        var key = BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(PromptText.Normalise(conversation))));
        if (_exact.TryGetValue(key, out var same)) return Drop(source, DropReason.ExactDuplicate, same, 1);
        if (_evaluation?.Find(source.Prompt) is { } contamination)
        {
            _contaminated[contamination.File] = _contaminated.GetValueOrDefault(contamination.File) + 1;
            _dropped.Add(new(source.Prompt.Id, source.Place, DropReason.Contaminated, contamination.Id, contamination.File, Math.Max(contamination.Overlap, contamination.Similarity), contamination.Words));
            return null;
        }

        // A prompt that was made from another is meant to be like it.
        if (source.SplitKey is null)
        {
            if (_near?.Find(PromptText.UserWords(conversation), Setting(conversation), add: true) is var (number, similarity)) return Drop(source, DropReason.NearDuplicate, _nearKept[number], similarity);
            _nearKept.Add(_kept.Count);
        }

        _exact.Add(key, _kept.Count);
        var prompt = source.Prompt;
        if (!_ids.Add(prompt.Id))
        {
            prompt = prompt with { Id = Free(prompt) };
            _renamed++;
        }

        _kept.Add((prompt.Id, source.Place, source.Categories));
        var heldOut = HashSplit.IsHeldOut(source.SplitKey ?? PromptText.Hash(conversation), _options.HeldOut, _options.Salt);
        if (heldOut) _heldOut++;
        else _train++;
        return new(source, prompt, heldOut);
    }

    private PreparedPrompt? Drop(SourcePrompt source, DropReason reason, int match, double overlap)
    {
        var (id, place, categories) = _kept[match];
        _dropped.Add(new(source.Prompt.Id, source.Place, reason, id, place, overlap, OtherCategories: !categories.ToHashSet().SetEquals(source.Categories)));
        return null;
    }

    // By what the prompt says, so that the order of the files matters as little as it can.
    private string Free(Prompt prompt)
    {
        var id = $"{prompt.Id}-{PromptText.Hash(prompt.Conversation)[..8]}";
        while (!_ids.Add(id)) id += "'";
        return id;
    }

    private static ulong Setting(Conversation conversation) =>
        BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', conversation.Turns.Where(turn => turn.Role == Role.System).Select(turn => PromptText.Normalise(turn.Text))))));
}
