namespace Deliberate.Cli.Interaction;

/// <summary>Passes progress on at once, in the caller's thread.</summary>
internal sealed class DirectProgress(Action<int> report) : IProgress<int>
{
    public void Report(int value) => report(value);
}
