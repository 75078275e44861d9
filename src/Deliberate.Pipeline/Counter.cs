namespace Deliberate.Pipeline;

/// <summary>Passes progress on at once, in the caller's thread (<see cref="Progress{T}"/> would post it to the pool). Thread-safe as far as what it reports to is.</summary>
/// <param name="report">Hears every count.</param>
public sealed class Counter(Action<int> report) : IProgress<int>
{
    /// <inheritdoc/>
    public void Report(int value) => report(value);
}
