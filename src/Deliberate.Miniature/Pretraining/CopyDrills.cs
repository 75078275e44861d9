using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Miniature.Pretraining;

/// <summary>
/// Rows of random tokens that can be told only by looking back: sequences that repeat, lines of a name, a clause code and a rule
/// that come again in another order, and pairs that are the same or differ. Nearly every token of such a row teaches the model
/// to look things up or to compare, where one in fifty of a policy's does, so that it learns it many times sooner.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class CopyDrills(BpeTokenizer tokenizer)
{
    private readonly int[] _codes = [.. MiniatureTokenizer.WholeCodes.Select(tokenizer.TokenId)];
    private readonly int[] _rules = [.. MiniatureTokenizer.WholeRules.Select(tokenizer.TokenId)];
    private readonly int[] _names = [.. MiniatureTokenizer.WholeNames.Distinct().Select(tokenizer.TokenId)];
    private readonly int _end = tokenizer.TokenId("<|end|>");

    /// <summary>Which share of the rows are such drills: many at first, few later.</summary>
    public static double Share(double progress) => progress < 0.12 ? 0.5 : progress < 0.3 ? 0.25 : progress < 1 ? 0.08 : 0.03;

    /// <summary>A row.</summary>
    public TokenRow Row(Random random) => random.Next(3) switch { 0 => Sequence(random), 1 => Lines(random), _ => Comparisons(random) };

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

    private TokenRow Lines(Random random)
    {
        var count = random.Next(2, 12);
        var keys = _names.ToArray();
        random.Shuffle(keys);
        var lines = Enumerable.Range(0, count).Select(i => (Key: keys[i], Code: _codes[random.Next(_codes.Length)], Rule: _rules[random.Next(_rules.Length)])).ToArray();
        var tokens = new List<int> { _end };
        var weights = new List<float> { 0 };
        for (var round = 0; round < 4; round++)
        {
            foreach (var (key, code, rule) in lines)
            {
                tokens.AddRange([key, code, rule]);
                weights.AddRange([0, round > 0 ? 2 : 0, round > 0 ? 2 : 0]);
            }

            random.Shuffle(lines);
        }

        return new([.. tokens], [.. weights]);
    }

    // As a judge compares: "Act: a story, a poem: differ."
    private TokenRow Comparisons(Random random)
    {
        var tokens = new List<int> { _end };
        var weights = new List<float> { 0 };
        for (var line = 0; line < 60; line++)
        {
            var (title, names) = random.Next(6) switch
            {
                0 => ("Act:", Act.All.Select(act => act.Name)),
                1 or 2 => ("Topic:", random.Next(2) == 0 ? Topic.Of(RequestSampler.Pick(random, Topic.Categories)).Select(topic => topic.Name) : Topic.All.Select(topic => topic.Name)),
                3 => ("Style:", random.Next(2) == 0 ? Styles.Refusals : Styles.SafeCompletions),
                4 => ("Action:", Enum.GetValues<PolicyAction>().Select(action => action.ToText())),
                _ => ("Cited:", MiniatureTokenizer.WholeCodes.Where(code => code[2] == 'A' + line % 26).Select(code => code[1..]).Append("[none")),
            };
            var known = names.ToArray();
            var (left, right) = (RequestSampler.Pick(random, known), RequestSampler.Pick(random, known));
            if (random.Next(2) == 0) right = left;
            var closing = title == "Cited:" ? "]" : "";
            foreach (var token in tokenizer.Encode($" {title} {left}{closing}, {right}{closing}: {(left == right ? "same." : "differ.")}"))
            {
                tokens.Add(token);
                weights.Add(0);
            }

            weights[^1] = 1;
        }

        return new([.. tokens], [.. weights]);
    }
}
