using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding;

/// <summary>Refuses rows that the model cannot take, before native code meets them.</summary>
internal static class RowCheck
{
    /// <exception cref="ArgumentException">A row is too short, too long, or holds a token outside the vocabulary; the message names it.</exception>
    public static void Tokens(string what, int index, int[] tokens, ModelConfig config)
    {
        if (tokens.Length < 2) throw new ArgumentException($"{what} {index} has {tokens.Length} tokens; at least 2 are needed.");
        if (tokens.Length > config.MaxPositions)
            throw new ArgumentException($"{what} {index} has {tokens.Length} tokens; the model has {config.MaxPositions} positions. Shorten it or leave it out.");
        var bad = Array.FindIndex(tokens, token => token < 0 || token >= config.VocabSize);
        if (bad >= 0) throw new ArgumentException($"{what} {index}, position {bad}: token {tokens[bad]} is outside the vocabulary of {config.VocabSize}. Encode it with the model's own tokenizer.");
    }

    /// <exception cref="ArgumentException">As above, or a loss weight is missing or not finite.</exception>
    public static void Rows(IReadOnlyList<TokenRow> rows, ModelConfig config)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            Tokens("Row", i, rows[i].Tokens, config);
            if (rows[i].LossWeights.Length != rows[i].Tokens.Length)
                throw new ArgumentException($"Row {i} has {rows[i].Tokens.Length} tokens and {rows[i].LossWeights.Length} loss weights; each token needs one.");
            var bad = Array.FindIndex(rows[i].LossWeights, weight => !float.IsFinite(weight) || weight < 0);
            if (bad >= 0) throw new ArgumentException($"Row {i}, position {bad}: the loss weight is {rows[i].LossWeights[bad]}; it must be finite and not negative.");
        }
    }
}
