using Deliberate.Training.Decoding;

namespace Deliberate.Training.Grpo;

/// <summary>Rollouts that go through the model together, with one entry for each completion token.</summary>
internal sealed class RolloutBatch
{
    /// <summary>Lays out <paramref name="group"/>, a part of the step's <paramref name="all"/> rollouts, which decide the averages.</summary>
    public RolloutBatch(IReadOnlyList<Rollout> group, IReadOnlyList<Rollout> all, GrpoOptions options)
    {
        Sequences = new SequenceBatch([.. group.Select(rollout => rollout.Tokens)], (row, t) => t >= group[row].PromptLength, options.Packing);
        Lengths = [.. group.Select(rollout => (long)rollout.CompletionLength)];
        Advantages = [.. group.SelectMany(rollout => Enumerable.Repeat((float)rollout.Advantage, rollout.CompletionLength))];
        var batchTokens = all.Sum(rollout => (double)rollout.CompletionLength);
        float Weight(Rollout rollout) => (float)(1 / options.Weighting switch
        {
            TokenWeighting.Constant => (double)all.Count * options.ConstantLength,
            TokenWeighting.Sequence => (double)all.Count * rollout.CompletionLength,
            _ => batchTokens,
        });
        Weights = [.. group.SelectMany(rollout => Enumerable.Repeat(Weight(rollout), rollout.CompletionLength))];
        if (group[0].LogProbabilities is not null) Old = [.. group.SelectMany(rollout => rollout.LogProbabilities!)];
        Tokens = group.Sum(rollout => (long)rollout.Tokens.Length);
    }

    /// <summary>The tokens; a predicted token is one of a completion (N).</summary>
    public SequenceBatch Sequences { get; }

    /// <summary>Completion tokens of each rollout; their sum is N.</summary>
    public long[] Lengths { get; }

    /// <summary>(N)</summary>
    public float[] Advantages { get; }

    /// <summary>How much each token counts in the loss. (N)</summary>
    public float[] Weights { get; }

    /// <summary>Log-probabilities under the policy that sampled, once known. (N)</summary>
    public float[]? Old { get; set; }

    /// <summary>Tokens without padding.</summary>
    public long Tokens { get; }
}
