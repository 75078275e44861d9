using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

public class RequestTests
{
    private static readonly int[] Prompt = Tiny.Tokens(new Random(1), 20);

    private static GenerationRequest Plain => new() { Prompt = Prompt, MaxNewTokens = 40, Seed = 3 };

    [Fact]
    public void A_used_up_thinking_budget_forces_the_end_of_the_thought()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        var free = Generate(generator, Plain);
        Assert.Equal(0..0, free.Forced);
        foreach (var budget in (int[])[0, 1, 12])
        {
            var result = Generate(generator, Plain with { ThinkingBudget = budget, EndOfThinking = [298, 299, 297] });
            Assert.Equal([.. free.Tokens[..budget], 298, 299, 297], result.Tokens[..(budget + 3)]);
            Assert.Equal(budget..(budget + 3), result.Forced);
            Assert.Equal(40, result.Tokens.Length);
            Assert.Equal(40, result.LogProbs.Length);
            // What follows is what would follow those tokens anyway, with the same random numbers.
            Assert.Equal(Generate(generator, Plain with { Prompt = [.. Prompt, .. result.Tokens[..(budget + 3)]], MaxNewTokens = 37 - budget }).Tokens, result.Tokens[(budget + 3)..]);
        }
    }

    [Fact]
    public void A_thought_that_ends_in_time_is_left_alone()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        var free = Generate(generator, Plain);
        Assert.Equal(free.Tokens, Generate(generator, Plain with { ThinkingBudget = 8, EndOfThinking = free.Tokens[5..8] }).Tokens);
        // Begun but not ended: only the rest is forced.
        var cut = Generate(generator, Plain with { ThinkingBudget = 7, EndOfThinking = [.. free.Tokens[5..7], 299] });
        Assert.Equal([.. free.Tokens[..7], 299], cut.Tokens[..8]);
        Assert.Equal(7..8, cut.Forced);
    }

    [Fact]
    public void A_budget_may_hold_for_completions_that_begin_with_a_mark_alone()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        var free = Generate(generator, Plain).Tokens;
        var thinks = Plain with { ThinkingBudget = 8, EndOfThinking = [298, 299], StartOfThinking = free[..2] };
        Assert.Equal([.. free[..8], 298, 299], Generate(generator, thinks).Tokens[..10]);
        // The mark comes first, however little is left.
        Assert.Equal([.. free[..2], 298, 299], Generate(generator, thinks with { ThinkingBudget = 0 }).Tokens[..4]);
        var other = Generate(generator, thinks with { StartOfThinking = [free[0], free[1] + 1] });
        Assert.Equal(free, other.Tokens);
        Assert.Equal(0..0, other.Forced);
    }

    [Fact]
    public void A_callback_ends_a_completion_with_the_token_it_saw()
    {
        using var generator = Tiny.Generator(Tiny.Even, threads: 2);
        var free = Generate(generator, Plain);
        var seen = new List<int>();
        var result = Generate(generator, Plain with
        {
            OnToken = token =>
            {
                seen.Add(token);
                return seen.Count < 9;
            },
        });
        Assert.Equal(free.Tokens[..9], result.Tokens);
        Assert.Equal(seen, result.Tokens);
        Assert.Equal(GenerationEnd.Callback, result.End);
        Assert.False(result.Truncated);
    }

    [Fact]
    public void One_request_is_cancelled_and_the_others_go_on()
    {
        using var generator = Tiny.Generator(Tiny.Even, threads: 2);
        using var cancel = new CancellationTokenSource();
        var count = 0;
        var results = generator.Generate(
        [
            Plain with
            {
                Cancel = cancel.Token,
                OnToken = _ =>
                {
                    if (++count == 5) cancel.Cancel();
                    return true;
                },
            },
            Plain, Plain with { Prompt = [7, 8] }, Plain with { Prompt = [9], Cancel = new(canceled: true) },
        ]);
        Assert.Equal(results[1].Tokens[..5], results[0].Tokens);
        Assert.Equal([GenerationEnd.Cancelled, GenerationEnd.Length, GenerationEnd.Length, GenerationEnd.Cancelled], results.Select(result => result.End));
        Assert.Empty(results[3].Tokens);
    }

    [Fact]
    public void A_repetition_penalty_lowers_what_prompt_and_completion_hold()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        var result = Generate(generator, Plain with { Temperature = 0, RepetitionPenalty = 1.7f });
        Assert.NotEqual(Generate(generator, Plain with { Temperature = 0 }).Tokens, result.Tokens);
        var logits = generator.Logits([.. Prompt, .. result.Tokens]);
        for (var i = 0; i < result.Tokens.Length; i++)
        {
            var row = logits[((Prompt.Length - 1 + i) * 300)..((Prompt.Length + i) * 300)];
            var penalised = (float[])row.Clone();
            foreach (var token in Prompt.Concat(result.Tokens[..i]).Distinct()) penalised[token] = row[token] > 0 ? row[token] / 1.7f : row[token] * 1.7f;
            Assert.Equal(Array.IndexOf(penalised, penalised.Max()), result.Tokens[i]);
            Assert.Equal(row[result.Tokens[i]] - Math.Log(row.Sum(logit => Math.Exp(logit))), result.LogProbs[i], 1e-4);
        }
    }

    [Fact]
    public void Min_p_leaves_tokens_that_are_likely_enough()
    {
        float[] logits = [0, 1, 2, 3, 2.9f, -1];
        var seen = Enumerable.Range(0, 400).Select(seed => Sampler.Choose(logits, new() { Prompt = [], MinP = 0.3f, Seed = seed }, 1).Token).Distinct().Order();
        Assert.Equal([2, 3, 4], seen); // e^-1 of the largest is 0.37
    }

    [Fact]
    public void A_large_vocabulary_is_cut_as_a_small_one_is()
    {
        var random = new Random(5);
        var small = Enumerable.Range(0, 8000).Select(_ => (float)(random.NextDouble() * 14)).ToArray();
        // The same with tokens that can never be drawn, so that the other way is taken.
        float[] large = [.. small, .. Enumerable.Repeat(-500f, 4000)];
        foreach (var (topK, topP, minP) in ((int, float, float)[])[(50, 1, 0), (1, 1, 0), (0, 0.9f, 0), (0, 0.05f, 0), (40, 0.7f, 0), (0, 1, 0.1f), (300, 0.99f, 0.02f)])
            for (var seed = 0; seed < 50; seed++)
            {
                var request = new GenerationRequest { Prompt = [], TopK = topK, TopP = topP, MinP = minP, Seed = seed };
                Assert.Equal(Sampler.Choose(small, request, 9).Token, Sampler.Choose(large, request, 9).Token);
            }
    }

    [Fact]
    public void Requests_that_cannot_be_served_are_named()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        void Refuses(GenerationRequest request, string expected) => Assert.Contains(expected, Assert.Throws<ArgumentException>(() => Generate(generator, request)).Message, StringComparison.Ordinal);
        Refuses(Plain with { ThinkingBudget = 5 }, "EndOfThinking");
        Refuses(Plain with { ThinkingBudget = -1, EndOfThinking = [1] }, "thinking budget");
        Refuses(Plain with { ThinkingBudget = 1, EndOfThinking = [300] }, "token 300");
        Refuses(Plain with { RepetitionPenalty = 0 }, "repetition penalty");
    }

    [Theory]
    [InlineData(WeightStorage.Fp32, 0)]
    [InlineData(WeightStorage.Bf16, 0)]
    [InlineData(WeightStorage.Int8, 0.2)]
    public void Storage_is_exact_where_it_can_be_and_near_where_it_cannot(WeightStorage storage, double tolerance)
    {
        foreach (var shape in (ModelConfig[])[Tiny.Odd, Tiny.Even, Tiny.Untied])
        {
            var weights = Tiny.Weights(shape);
            foreach (var (name, _) in shape.Tensors())
                for (var i = 0; i < weights[name].Length; i++) weights[name][i] = BFloat16.ToSingle(BFloat16.FromSingle(weights[name][i]));
            using var exact = new Generator(weights, new() { Threads = 1 });
            using var generator = new Generator(weights, new() { Threads = 1, Weights = storage });
            Assert.Equal(WeightStorage.Fp32, exact.Weights); // a small model
            var (expected, actual) = (exact.Logits(Prompt), generator.Logits(Prompt));
            var scale = expected.Max(Math.Abs);
            for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance * scale);
            var one = generator.Generate([Plain]);
            using var together = new Generator(weights, new() { Threads = 3, Weights = storage, Together = true });
            Assert.All(together.Generate([.. Enumerable.Repeat(Plain, 9)]), result => Assert.Equal(one[0].Tokens, result.Tokens));
        }
    }

    private static GenerationResult Generate(Generator generator, GenerationRequest request) => generator.Generate([request])[0];
}
