using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Miniature.Pretraining;

/// <summary>
/// Rows of random tokens that can be told only by looking back: sequences that repeat, and pairs of a name and a clause code that
/// come again in another order. Nearly every token of such a row teaches the model to look things up in its context, where one in
/// fifty of a policy's does, so that it learns it many times sooner.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class CopyDrills(BpeTokenizer tokenizer)
{
    private readonly int[] _codes = [.. MiniatureTokenizer.WholeCodes.Select(tokenizer.TokenId)];
    private readonly int[] _names = [.. MiniatureTokenizer.WholeNames.Distinct().Select(tokenizer.TokenId)];
    private readonly int _end = tokenizer.TokenId("<|end|>");

    /// <summary>Which share of the rows are such drills: many at first, few later.</summary>
    public static double Share(double progress) => progress < 0.12 ? 0.5 : progress < 0.3 ? 0.25 : progress < 1 ? 0.08 : 0.02;

    /// <summary>A row.</summary>
    public TokenRow Row(Random random) => random.Next(2) == 0 ? Sequence(random) : Pairs(random);

    private TokenRow Sequence(Random random)
    {
        var segment = new int[random.Next(6, 30)];
        for (var i = 0; i < segment.Length; i++) segment[i] = random.Next(3) == 0 ? _codes[random.Next(_codes.Length)] : random.Next(_end + 6, tokenizer.VocabSize);
        var tokens = new List<int> { _end };
        var weights = new List<float> { 0 };
        for (var round = 0; round < 3; round++)
            for (var i = 0; i < segment.Length; i++)
            {
                tokens.Add(segment[i]);
                // The first token of a repetition is told by nothing.
                weights.Add(round > 0 && i > 0 ? 1 : 0);
            }

        return new([.. tokens], [.. weights]);
    }

    private TokenRow Pairs(Random random)
    {
        var count = random.Next(2, 12);
        var keys = _names.ToArray();
        random.Shuffle(keys);
        var pairs = Enumerable.Range(0, count).Select(i => (Key: keys[i], Code: _codes[random.Next(_codes.Length)])).ToArray();
        var tokens = new List<int> { _end };
        var weights = new List<float> { 0 };
        for (var round = 0; round < 4; round++)
        {
            foreach (var (key, code) in pairs)
            {
                tokens.AddRange([key, code]);
                weights.AddRange([0, round > 0 ? 2 : 0]);
            }

            random.Shuffle(pairs);
        }

        return new([.. tokens], [.. weights]);
    }
}
