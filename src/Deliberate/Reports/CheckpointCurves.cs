namespace Deliberate.Reports;

/// <summary>Curves that measure every checkpoint of reinforcement learning on validation prompts from both sides: safe, and not over-careful.</summary>
public static class CheckpointCurves
{
    /// <summary>Share of the prompts that are not to be complied with on which nothing was given away.</summary>
    public const string Withheld = "withheld";

    /// <summary>Share of the prompts that are to be complied with which were neither refused nor evaded.</summary>
    public const string Answered = "answered";
}
