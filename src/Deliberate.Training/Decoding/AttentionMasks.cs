using static TorchSharp.torch;

namespace Deliberate.Training.Decoding;

/// <summary>Masks of blocks of queries, kept because every layer of every pass asks for the same few.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class AttentionMasks : IDisposable
{
    private const int Most = 256;

    private readonly Dictionary<(long, long, long, long), Tensor> _masks = [];

    /// <summary>What is added to scores: minus infinity where a key comes after its query or lies before its window. (queries * groups, before + queries)</summary>
    /// <param name="queries">Number of queries.</param>
    /// <param name="before">Keys that come before the first query.</param>
    /// <param name="window">Positions that a query sees; null for all.</param>
    /// <param name="groups">Query heads for each key head; a position's queries stand one below the other.</param>
    /// <param name="type">What the mask holds.</param>
    /// <param name="device">Where it lies.</param>
    public Tensor Of(long queries, long before, int? window, long groups, ScalarType type, Device device)
    {
        var key = (queries, before, (long)(window ?? 0), groups);
        if (_masks.TryGetValue(key, out var mask)) return mask;
        if (_masks.Count >= Most) Dispose();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var hidden = ones([queries, before + queries], ScalarType.Bool, device).triu(before + 1);
        if (window is { } seen) hidden = hidden.logical_or(ones([queries, before + queries], ScalarType.Bool, device).tril(before - seen));
        mask = zeros([queries, before + queries], type, device).masked_fill(hidden, float.NegativeInfinity).repeat_interleave(groups, 0);
        return _masks[key] = mask.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var mask in _masks.Values) mask.Dispose();
        _masks.Clear();
    }
}
