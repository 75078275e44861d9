namespace Deliberate.Pipeline;

/// <summary>Passes progress on at once, in the caller's thread (<see cref="Progress{T}"/> would post it to the pool).</summary>
internal sealed class Counter(Action<int> report) : IProgress<int>
{
    public void Report(int value) => report(value);
}
