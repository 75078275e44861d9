using Deliberate.Inference.Generation;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

public class GeneratorTests
{
    public static TheoryData<string> Shapes => [nameof(Tiny.Odd), nameof(Tiny.Even), nameof(Tiny.Untied)];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Logits_are_those_of_the_plain_decoder(string shape)
    {
        var config = Tiny.Shape(shape);
        var tokens = Tiny.Tokens(new Random(1), 40);
        using var generator = Tiny.Generator(config);
        var expected = PlainDecoder.Logits(Tiny.Weights(config), tokens).SelectMany(row => row).ToArray();
        var actual = generator.Logits(tokens);
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void One_token_at_a_time_gives_the_bits_of_a_whole_prompt(string shape)
    {
        // Longer than one pass over a prompt.
        var (config, tokens) = (Tiny.Shape(shape), Tiny.Tokens(new Random(2), 150));
        using var generator = Tiny.Generator(config);
        var all = generator.Logits(tokens);
        var continued = generator.Generate([.. Enumerable.Range(1, 149).Select(length => new GenerationRequest { Prompt = tokens[..length], MaxNewTokens = 1, Temperature = 0 })]);
        for (var length = 1; length < 150; length++)
        {
            var row = all.AsSpan((length - 1) * config.VocabSize, config.VocabSize);
            Assert.Equal(row.IndexOf(row.ToArray().Max()), continued[length - 1].Tokens[0]);
            Assert.Equal(Sampler.Choose(row.ToArray(), new() { Prompt = [0], Temperature = 0 }, 0).LogProb, continued[length - 1].LogProbs[0]);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Greedy_tokens_are_the_largest_logits(string shape)
    {
        var (config, prompt) = (Tiny.Shape(shape), Tiny.Tokens(new Random(3), 20));
        using var generator = Tiny.Generator(config);
        var result = generator.Generate([new() { Prompt = prompt, MaxNewTokens = 60, Temperature = 0 }])[0];
        Assert.Equal(60, result.Tokens.Length);
        Assert.True(result.Tokens.Distinct().Count() > 5, "A model that repeats itself tests nothing.");
        var logits = generator.Logits([.. prompt, .. result.Tokens]);
        for (var i = 0; i < 60; i++)
        {
            var row = logits.AsSpan((prompt.Length - 1 + i) * config.VocabSize, config.VocabSize).ToArray();
            Assert.Equal(Array.IndexOf(row, row.Max()), result.Tokens[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Results_do_not_depend_on_company_order_threads_or_sharing(string shape)
    {
        var config = Tiny.Shape(shape);
        var requests = Requests(48);
        GenerationResult[] expected;
        using (var alone = Tiny.Generator(config, share: false)) expected = [.. requests.Select(request => alone.Generate([request])[0])];
        foreach (var (threads, maxBatch, share) in ((int, int, bool)[])[(1, 128, true), (1, 128, false), (1, 5, true), (2, 7, true), (3, 128, true), (4, 4, false)])
        {
            using var generator = Tiny.Generator(config, threads, maxBatch, share);
            AssertSame(expected, generator.Generate(requests));
            var order = Enumerable.Range(0, requests.Length).ToArray();
            new Random(threads).Shuffle(order);
            AssertSame([.. order.Select(i => expected[i])], generator.Generate([.. order.Select(i => requests[i])]));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task Long_prompts_that_begin_alike_give_the_bits_that_each_gives_alone(string shape)
    {
        // Over several pages of keys, from two beginnings, parting within a page and at its end.
        var (config, random) = (Tiny.Shape(shape) with { MaxPositions = 900 }, new Random(9));
        int[][] stems = [Tiny.Tokens(random, 600), Tiny.Tokens(random, 300)];
        GenerationRequest[] requests = [.. Enumerable.Range(0, 22).Select(i => new GenerationRequest
        {
            Prompt = [.. stems[i % 2][..(i % 2 == 1 ? 300 : i % 3 == 0 ? 512 : 600 - i)], .. Tiny.Tokens(random, 1 + 3 * i)], MaxNewTokens = 12, Temperature = 0.9f, Seed = i,
        })];
        using var alone = Tiny.Generator(config, maxBatch: 1, share: false);
        var expected = alone.Generate(requests);
        foreach (var together in (bool[])[false, true])
        {
            using var generator = new Generator(Tiny.Weights(config), new() { Threads = 2, MaxBatch = 64, Together = together });
            AssertSame(expected, generator.Generate(requests));
            var open = requests.Select(request => generator.SubmitAsync(request, TestContext.Current.CancellationToken)).ToArray();
            AssertSame(expected, await Task.WhenAll(open));
        }
    }

    [Fact]
    public void Many_samples_of_one_prompt_differ_by_their_seed_alone()
    {
        using var generator = Tiny.Generator(Tiny.Even, threads: 2);
        var prompt = Tiny.Tokens(new Random(4), 30);
        var results = generator.Generate([.. Enumerable.Range(0, 40).Select(i => new GenerationRequest { Prompt = prompt, MaxNewTokens = 12, Seed = i % 20 })]);
        for (var i = 0; i < 20; i++) Assert.Equal(results[i].Tokens, results[i + 20].Tokens);
        Assert.Equal(20, results.Take(20).Select(result => string.Join(' ', result.Tokens)).Distinct().Count());
    }

    [Fact]
    public void Log_probabilities_are_those_of_the_chosen_tokens()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        var prompt = Tiny.Tokens(new Random(5), 9);
        var result = generator.Generate([new() { Prompt = prompt, MaxNewTokens = 30, Temperature = 1.5f, Seed = 8 }])[0];
        var logits = generator.Logits([.. prompt, .. result.Tokens]);
        for (var i = 0; i < 30; i++)
        {
            var row = logits.AsSpan((prompt.Length - 1 + i) * 300, 300).ToArray();
            Assert.Equal(row[result.Tokens[i]] - row.Max() - Math.Log(row.Sum(logit => Math.Exp(logit - row.Max()))), result.LogProbs[i], 1e-4);
        }
    }

    [Fact]
    public void A_stop_token_ends_the_completion_and_is_not_part_of_it()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        var prompt = Tiny.Tokens(new Random(6), 15);
        var free = generator.Generate([new() { Prompt = prompt, MaxNewTokens = 40, Seed = 2 }])[0];
        var stop = free.Tokens[20];
        var first = Array.IndexOf(free.Tokens, stop);
        var stopped = generator.Generate([new() { Prompt = prompt, MaxNewTokens = 40, Seed = 2, StopTokens = [299, stop] }])[0];
        var cut = Math.Min(first, free.Tokens.Append(299).ToList().IndexOf(299));
        Assert.Equal(free.Tokens[..cut], stopped.Tokens);
        Assert.Equal(free.LogProbs[..(cut + 1)], stopped.LogProbs);
        Assert.False(stopped.Truncated);
        Assert.True(free.Truncated);
    }

    [Fact]
    public void Room_bounds_the_completion()
    {
        using var generator = Tiny.Generator(Tiny.Odd);
        var results = generator.Generate(
        [
            new() { Prompt = Tiny.Tokens(new Random(7), 190), MaxNewTokens = 100 },
            new() { Prompt = Tiny.Tokens(new Random(7), 200), MaxNewTokens = 100 },
            new() { Prompt = [1, 2, 3], MaxNewTokens = 7 },
            new() { Prompt = [1, 2, 3], MaxNewTokens = 0 },
        ]);
        Assert.Equal([11, 1, 7, 0], results.Select(result => result.Tokens.Length)); // the last token needs no position
        Assert.All(results, result => Assert.True(result.Truncated));
    }

    [Fact]
    public void Concurrent_calls_get_their_own_results()
    {
        using var generator = Tiny.Generator(Tiny.Odd, threads: 2);
        var calls = Enumerable.Range(0, 12).Select(i => Requests(6, seed: i)).ToArray();
        var expected = calls.Select(call => generator.Generate(call)).ToArray();
        var actual = new IReadOnlyList<GenerationResult>[calls.Length];
        Parallel.For(0, calls.Length, i => actual[i] = generator.Generate(calls[i]));
        for (var i = 0; i < calls.Length; i++) AssertSame(expected[i], actual[i]);
    }

    [Fact]
    public void Streaming_hands_over_the_tokens_of_the_result()
    {
        using var generator = Tiny.Generator(Tiny.Even, threads: 2);
        var request = Requests(1)[0] with { MaxNewTokens = 25 };
        var tokens = new List<int>();
        var streamed = generator.Stream(request, tokens.Add, TestContext.Current.CancellationToken);
        Assert.Equal(streamed.Tokens, tokens);
        AssertSame([generator.Generate([request])[0]], [streamed]);
    }

    [Fact]
    public void Cancelling_stops_between_two_tokens_and_leaves_the_generator_usable()
    {
        using var generator = Tiny.Generator(Tiny.Odd, threads: 2);
        using var cancel = new CancellationTokenSource();
        var seen = 0;
        Assert.Throws<OperationCanceledException>(() => generator.Stream(new() { Prompt = [1], MaxNewTokens = 100 }, _ =>
        {
            if (++seen == 3) cancel.Cancel();
        }, cancel.Token));
        Assert.Equal(3, seen);
        Assert.ThrowsAny<OperationCanceledException>(() => generator.Generate(Requests(4), cancel: cancel.Token));
        using var second = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => generator.Generate(Requests(200), progress: _ => second.Cancel(), cancel: second.Token));
        Assert.Equal(4, generator.Generate(Requests(4), cancel: TestContext.Current.CancellationToken).Count);
    }

    [Fact]
    public void Progress_counts_every_request_once()
    {
        using var generator = Tiny.Generator(Tiny.Odd, threads: 3);
        var counts = new System.Collections.Concurrent.ConcurrentBag<int>();
        generator.Generate(Requests(20), counts.Add, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, 20), counts.Order());
    }

    [Fact]
    public void Every_result_is_handed_over_when_it_is_finished()
    {
        using var generator = Tiny.Generator(Tiny.Odd, threads: 3);
        var early = new System.Collections.Concurrent.ConcurrentDictionary<int, GenerationResult>();
        var results = generator.Generate(Requests(20), onResult: (i, result) => Assert.True(early.TryAdd(i, result)), cancel: TestContext.Current.CancellationToken);
        Assert.Equal(results, Enumerable.Range(0, 20).Select(i => early[i]));
    }

    [Fact]
    public void New_weights_take_the_place_of_the_old_ones()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        var tokens = Tiny.Tokens(new Random(9), 10);
        var before = generator.Logits(tokens);
        generator.Load(Tiny.Weights(Tiny.Even, seed: 2));
        Assert.NotEqual(before, generator.Logits(tokens));
        generator.Load(Tiny.Weights(Tiny.Even));
        Assert.Equal(before, generator.Logits(tokens));
        Assert.Contains("shape", Assert.Throws<ArgumentException>(() => generator.Load(Tiny.Weights(Tiny.Odd))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_prompts_are_refused_by_number()
    {
        using var generator = Tiny.Generator(Tiny.Odd);
        void Refuses(int[] prompt, string expected) =>
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => generator.Generate([new() { Prompt = [1] }, new() { Prompt = prompt }])).Message, StringComparison.Ordinal);
        Refuses([], "Request 1");
        Refuses([1, 300], "token 300");
        Refuses([-1], "token -1");
        Refuses(new int[201], "201 tokens");
        Assert.Empty(generator.Generate([]));
    }

    // Prompts of all lengths, some equal, some nested, some with long common beginnings; all settings.
    internal static GenerationRequest[] Requests(int count, int seed = 0)
    {
        var random = new Random(seed);
        var stems = Enumerable.Range(0, 3).Select(_ => Tiny.Tokens(random, random.Next(15, 90))).ToArray();
        stems[1] = [.. stems[0], .. stems[1]];
        if (stems[1].Length > 150) stems[1] = stems[1][..150];
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var stem = i % 4 == 3 ? [] : stems[random.Next(3)];
            int[] prompt = [.. stem, .. Tiny.Tokens(random, random.Next(stem.Length == 0 ? 1 : 0, 20), 4)];
            return new GenerationRequest
            {
                Prompt = prompt, MaxNewTokens = random.Next(1, 15), Temperature = random.Next(3) * 0.7f, TopK = random.Next(2) * 20, TopP = random.Next(2) == 0 ? 1 : 0.9f,
                Seed = random.Next(5), StopTokens = Tiny.Tokens(random, 10),
            };
        })];
    }

    internal static void AssertSame(IReadOnlyList<GenerationResult> expected, IReadOnlyList<GenerationResult> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i].Tokens, actual[i].Tokens);
            Assert.Equal(expected[i].LogProbs, actual[i].LogProbs);
            Assert.Equal(expected[i].Truncated, actual[i].Truncated);
        }
    }
}
