namespace Deliberate.Distillation;

/// <summary>What distillation keeps.</summary>
public sealed record DistillerOptions
{
    /// <summary>The lowest score that is kept, from 0 to 1.</summary>
    public double Threshold { get; init; } = 1;

    /// <summary>Most samples kept of one prompt: the best ones.</summary>
    public int KeepPerPrompt { get; init; } = 1;

    /// <summary>How many consecutive words of the specification in a prompt or an answer count as a leak.</summary>
    public int LeakWords { get; init; } = 12;
}
