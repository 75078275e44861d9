using Deliberate.Inference.Models;
using static TorchSharp.torch;

namespace Deliberate.Training.Decoding;

/// <summary>The weighted next-token loss of rows.</summary>
internal static class WeightedLoss
{
    /// <summary>Rows of similar length together, at most <paramref name="maxTokens"/> tokens a batch, padding included where they are padded.</summary>
    public static List<TokenRow[]> Batches(IEnumerable<TokenRow> rows, int maxTokens, bool packed = false) => SequenceBatch.Group(rows, row => row.Tokens.Length, maxTokens, packed);

    /// <summary>Sum of the loss weights that count.</summary>
    public static double TotalWeight(IEnumerable<TokenRow> rows) => rows.Sum(row => row.LossWeights.Skip(1).Sum(weight => (double)weight));

    /// <summary>Adds the gradients of this batch, divided by <paramref name="totalWeight"/>; returns its summed weighted loss.</summary>
    public static double Backward(Decoder decoder, TokenRow[] rows, double totalWeight, bool packed = false)
    {
        using var scope = NewDisposeScope();
        var batch = new SequenceBatch([.. rows.Select(row => row.Tokens)], (row, t) => rows[row].LossWeights[t] != 0, packed);
        return batch.Predicted == 0 ? 0 : batch.Learn(decoder, [.. rows.SelectMany(row => row.LossWeights.Skip(1).Where(weight => weight != 0))], totalWeight);
    }
}
