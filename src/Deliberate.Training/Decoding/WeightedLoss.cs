using Deliberate.Inference.Models;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>Turns rows into right-padded batches and computes their weighted next-token loss.</summary>
internal static class WeightedLoss
{
    /// <summary>Rows of similar length together, at most <paramref name="maxTokens"/> padded tokens a batch.</summary>
    public static List<TokenRow[]> Batches(IEnumerable<TokenRow> rows, int maxTokens)
    {
        var batches = new List<TokenRow[]>();
        var current = new List<TokenRow>();
        foreach (var row in rows.OrderByDescending(row => row.Tokens.Length))
        {
            if (current.Count > 0 && (current.Count + 1) * current[0].Tokens.Length > maxTokens)
            {
                batches.Add([.. current]);
                current.Clear();
            }

            current.Add(row);
        }

        if (current.Count > 0) batches.Add([.. current]);
        return batches;
    }

    /// <summary>Sum of the loss weights that count.</summary>
    public static double TotalWeight(IEnumerable<TokenRow> rows) => rows.Sum(row => row.LossWeights.Skip(1).Sum(weight => (double)weight));

    /// <summary>Adds the gradients of this batch, divided by <paramref name="totalWeight"/>; returns its summed weighted loss.</summary>
    public static double Backward(Decoder decoder, TokenRow[] rows, double totalWeight)
    {
        using var scope = NewDisposeScope();
        var length = rows[0].Tokens.Length;
        var tokens = new long[rows.Length * length];
        var (positions, targets, weights) = (new List<long>(), new List<long>(), new List<float>());
        for (var b = 0; b < rows.Length; b++)
        {
            var row = rows[b];
            for (var t = 0; t < row.Tokens.Length; t++)
            {
                tokens[b * length + t] = row.Tokens[t];
                if (t == 0 || row.LossWeights[t] == 0) continue;
                positions.Add(b * length + t - 1);
                targets.Add(row.Tokens[t]);
                weights.Add(row.LossWeights[t]);
            }
        }

        if (positions.Count == 0) return 0;
        var hidden = decoder.Hidden(tensor(tokens, [rows.Length, length])).view(-1, decoder.Config.HiddenSize);
        // The vocabulary projection only where something is to be learned.
        var logits = decoder.Logits(hidden.index_select(0, tensor(positions.ToArray())));
        var losses = F.cross_entropy(logits, tensor(targets.ToArray()), reduction: nn.Reduction.None);
        var sum = (losses * tensor(weights.ToArray())).sum();
        (sum / totalWeight).backward();
        return sum.ToDouble();
    }
}
