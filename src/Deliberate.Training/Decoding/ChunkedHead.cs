using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>
/// The product with the vocabulary and the softmax over it, some tokens at a time, with a backward pass written by hand: logits of a
/// whole batch (N x vocabulary in fp32) are never in memory.
/// </summary>
internal static class ChunkedHead
{
    private const long MostLogits = 1 << 24;

    /// <summary>Whether this many tokens are too many for whole logits.</summary>
    public static bool IsNeeded(long tokens, Decoder decoder) => tokens * decoder.Config.VocabSize > MostLogits;

    /// <summary>Log-probabilities of targets; with slopes it sets the gradient of <paramref name="hidden"/> and adds that of the output matrix where that is trained.</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="hidden">(N, d), a leaf.</param>
    /// <param name="targets">(N)</param>
    /// <param name="temperature">What logits are divided by.</param>
    /// <param name="slopes">The loss's derivative by each log-probability (N); null goes forward only.</param>
    /// <param name="entropy">Whether to sum up the entropies.</param>
    public static (Tensor Chosen, double Entropy) Run(Decoder decoder, Tensor hidden, Tensor targets, double temperature, Tensor? slopes, bool entropy = false)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (count, vocabulary) = (hidden.shape[0], decoder.Config.VocabSize);
        var matrix = decoder.OutputMatrix.dtype == hidden.dtype ? decoder.OutputMatrix : decoder.OutputMatrix.to(hidden.dtype);
        var trained = slopes is not null && decoder.OutputMatrix.requires_grad;
        if (trained && decoder.OutputMatrix.grad is null) decoder.OutputMatrix.grad = zeros_like(decoder.OutputMatrix).DetachFromDisposeScope();
        var chosen = empty([count], ScalarType.Float32, hidden.device);
        var gradient = slopes is null ? null : empty_like(hidden);
        var sum = 0.0;
        var step = Math.Max(16, MostLogits / vocabulary);
        for (var start = 0L; start < count; start += step)
        {
            using var inner = NewDisposeScope();
            var rows = Math.Min(step, count - start);
            var (part, wanted) = (hidden.narrow(0, start, rows), targets.narrow(0, start, rows).unsqueeze(1));
            var logits = F.linear(part, matrix).to(ScalarType.Float32);
            Tensor? bent = null;
            if (decoder.Config.LogitSoftcap is { } cap)
            {
                bent = (logits / cap).tanh_();
                logits = bent * cap;
            }

            if (temperature != 1) logits.div_(temperature);
            var logs = F.log_softmax(logits, -1);
            chosen.narrow(0, start, rows).copy_(logs.gather(1, wanted).squeeze(1));
            if (entropy) sum -= (logs.exp() * logs).sum().ToDouble();
            if (slopes is null) continue;
            // d log p / d logits = target - p
            var slope = slopes.narrow(0, start, rows).unsqueeze(1);
            var back = logs.exp_().mul_(slope.neg());
            back.scatter_add_(1, wanted, slope);
            if (temperature != 1) back.div_(temperature);
            if (bent is not null) back.mul_(1 - bent.square());
            back = back.to(hidden.dtype);
            gradient!.narrow(0, start, rows).copy_(mm(back, matrix));
            if (trained) decoder.OutputMatrix.grad!.add_(mm(back.t(), part));
        }

        if (gradient is not null) hidden.grad = gradient.MoveToOuterDisposeScope();
        return (chosen.MoveToOuterDisposeScope(), sum);
    }
}
