using Deliberate.Inference.Models;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>The weighted next-token loss of rows.</summary>
internal static class WeightedLoss
{
    /// <summary>Rows of similar length together, at most <paramref name="maxTokens"/> padded tokens a batch.</summary>
    public static List<TokenRow[]> Batches(IEnumerable<TokenRow> rows, int maxTokens) => PaddedBatch.Group(rows, row => row.Tokens.Length, maxTokens);

    /// <summary>Sum of the loss weights that count.</summary>
    public static double TotalWeight(IEnumerable<TokenRow> rows) => rows.Sum(row => row.LossWeights.Skip(1).Sum(weight => (double)weight));

    /// <summary>Adds the gradients of this batch, divided by <paramref name="totalWeight"/>; returns its summed weighted loss.</summary>
    public static double Backward(Decoder decoder, TokenRow[] rows, double totalWeight)
    {
        using var scope = NewDisposeScope();
        var batch = new PaddedBatch([.. rows.Select(row => row.Tokens)], (row, t) => rows[row].LossWeights[t] != 0);
        if (batch.Predicted == 0) return 0;
        float[] weights = [.. rows.SelectMany(row => row.LossWeights.Skip(1).Where(weight => weight != 0))];
        var losses = F.cross_entropy(batch.Logits(decoder), batch.Targets(), reduction: nn.Reduction.None);
        var sum = (losses * tensor(weights)).sum();
        batch.Backward(sum / totalWeight, decoder);
        return sum.ToDouble();
    }
}
