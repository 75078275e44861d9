namespace Deliberate.Prompts;

/// <summary>How prompts are prepared.</summary>
/// <param name="NearDuplicate">The least Jaccard index of runs of five characters at which two prompts are almost the same, from 0.4; above 1 they never are.</param>
/// <param name="HeldOut">Share of the prompts that is held out, from 0 to 1.</param>
/// <param name="Salt">Changes which prompts are held out.</param>
public sealed record PreparationOptions(double NearDuplicate = 0.85, double HeldOut = 0.1, string Salt = "");
