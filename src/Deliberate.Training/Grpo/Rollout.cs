namespace Deliberate.Training.Grpo;

/// <summary>One sampled completion with the credit it got.</summary>
/// <param name="Tokens">Prompt and completion; the completion includes its end token.</param>
/// <param name="PromptLength">How many of the tokens are the prompt, at least 1; they are not trained on.</param>
/// <param name="Advantage">How much better than its group the completion was; see <see cref="Advantages"/>.</param>
public sealed record Rollout(int[] Tokens, int PromptLength, double Advantage)
{
    /// <summary>
    /// Log-probability of each completion token under the policy that sampled it, where that is not the policy being trained;
    /// null takes the policy as it is before the step.
    /// </summary>
    public float[]? LogProbabilities { get; init; }

    /// <summary>Number of completion tokens.</summary>
    public int CompletionLength => Tokens.Length - PromptLength;
}
