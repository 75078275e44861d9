using TorchSharp;
using static TorchSharp.torch;

namespace Deliberate.Training.Grpo;

/// <summary>The clipped policy-gradient loss of PPO with GRPO's penalty, over a flat list of tokens, rollout by rollout.</summary>
internal static class PolicyLoss
{
    /// <summary>The loss, and what is reported about it. All tensors are (N).</summary>
    /// <param name="current">Log-probabilities under the policy, with gradients.</param>
    /// <param name="old">Under the policy that sampled; null where it is this very policy: the ratio is 1 and only its gradient matters.</param>
    /// <param name="reference">Under the reference; null without a penalty.</param>
    /// <param name="advantages">The advantage of each token's rollout.</param>
    /// <param name="weights">How much each token counts.</param>
    /// <param name="lengths">Tokens of each rollout; their sum is N.</param>
    /// <param name="options">Bounds and coefficients.</param>
    /// <returns>The weighted loss (a scalar), the sum of the KL estimates and the number of clipped tokens.</returns>
    public static (Tensor Loss, double Kl, double Clipped) Of(Tensor current, Tensor? old, Tensor? reference, Tensor advantages, Tensor weights, long[] lengths, GrpoOptions options)
    {
        var change = current - (old ?? current.detach());
        // GSPO: one ratio for a rollout, the geometric mean of its tokens'.
        if (options.Importance == ImportanceLevel.Sequence) change = cat([.. change.split(lengths).Select(row => row.mean().expand(row.shape))], 0);
        var ratio = change.exp();
        var bounded = ratio.clamp(1 - options.ClipLow, 1 + options.ClipHigh);
        var losses = -minimum(ratio * advantages, bounded * advantages);
        double kl = 0;
        if (reference is not null)
        {
            // k3 (Schulman): never negative, unbiased, low variance. Times the ratio its gradient is unbiased too (DeepSeek-V3.2).
            var difference = reference - current;
            var estimates = difference.exp() - difference - 1;
            losses = losses + estimates * ratio * options.KlCoefficient;
            kl = estimates.detach().sum().ToDouble();
        }

        var low = (ratio < 1 - options.ClipLow).logical_and(advantages < 0);
        var high = (ratio > 1 + options.ClipHigh).logical_and(advantages > 0);
        return ((losses * weights).sum(), kl, low.logical_or(high).sum().ToDouble());
    }
}
