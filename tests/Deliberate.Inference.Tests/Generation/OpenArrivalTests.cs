using CsCheck;
using Deliberate.Inference.Generation;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

/// <summary>What a request that joins a running batch gets is what it would get alone.</summary>
public class OpenArrivalTests
{
    private sealed record Setting(string Shape, int Threads, bool Together, int MaxBatch, bool Share, int CachedTokens, int Seed);

    private static readonly Gen<Setting> Settings =
        from shape in OneOf(nameof(Tiny.Odd), nameof(Tiny.Even), nameof(Tiny.Untied))
        from threads in Gen.Int[1, 3]
        from together in Gen.Bool
        from batch in OneOf(1, 3, 7, 128)
        from share in OneOf(true, true, true, false)
        from cached in OneOf(0, 300, 2000)
        from seed in Gen.Int[0, 1000]
        select new Setting(shape, threads, together, batch, share, cached, seed);

    [Fact]
    public Task Requests_that_arrive_at_random_times_get_what_they_would_get_alone() => Check(12);

    /// <summary>The same for longer; the variable DELIBERATE_TEST_ROUNDS says how much.</summary>
    [Fact(Explicit = true)]
    public Task Requests_that_arrive_at_random_times_get_what_they_would_get_alone_many_times() =>
        Check(int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_TEST_ROUNDS"), out var rounds) ? rounds : 500);

    private static Task Check(int rounds) => Settings.SampleAsync(ArriveAsync, iter: rounds, threads: 1);

    private static async Task ArriveAsync(Setting setting)
    {
        var config = Tiny.Shape(setting.Shape);
        var requests = Conversations(setting.Seed);
        GenerationResult[] expected;
        using (var alone = Tiny.Generator(config, share: false)) expected = [.. requests.Select(request => alone.Generate([request])[0])];
        using var generator = new Generator(Tiny.Weights(config), new()
        {
            Threads = setting.Threads,
            Together = setting.Together,
            MaxBatch = setting.MaxBatch,
            SharePrefixes = setting.Share,
            CachedTokens = setting.CachedTokens,
        });
        await Task.WhenAll(requests.Select((request, i) => Task.Run(() => OneAsync(generator, request, expected[i], new Random(setting.Seed + i)))));
    }

    // Arrives at some time; one in six leaves in the middle, one in six fails there.
    private static async Task OneAsync(Generator generator, GenerationRequest request, GenerationResult expected, Random random)
    {
        await Task.Delay(random.Next(12));
        var (fate, end, seen) = (random.Next(6), random.Next(expected.Tokens.Length), new List<int>());
        using var cancel = new CancellationTokenSource();
        var work = generator.SubmitAsync(request with
        {
            Cancel = cancel.Token,
            OnToken = token =>
            {
                seen.Add(token);
                if (seen.Count == end + 1 && fate == 1) cancel.Cancel();
                if (seen.Count == end + 1 && fate == 2) throw new InvalidDataException("the reader is gone");
                return true;
            },
        });
        var ends = expected.Tokens.Length == 0 || fate is not (1 or 2);
        if (!ends && fate == 2) await Assert.ThrowsAsync<InvalidDataException>(() => work);
        else if (ends || (end == expected.Tokens.Length - 1 && expected.End == GenerationEnd.Length)) GeneratorTests.AssertSame([expected], [await work]);
        else
        {
            var cut = await work;
            Assert.Equal(GenerationEnd.Cancelled, cut.End);
            Assert.Equal(expected.Tokens[..(end + 1)], cut.Tokens);
            Assert.Equal(expected.LogProbs[..(end + 1)], cut.LogProbs);
        }

        Assert.Equal(expected.Tokens[..(ends ? expected.Tokens.Length : end + 1)], seen);
    }

    // Prompts with common beginnings, and some that are another one with what may follow it, as the turns of a conversation are.
    private static GenerationRequest[] Conversations(int seed)
    {
        var random = new Random(seed);
        var first = GeneratorTests.Requests(18, seed);
        return
        [
            .. first,
            .. first.Take(6).Select(request => request with { Prompt = Cut([.. request.Prompt, .. Tiny.Tokens(random, random.Next(1, 40))]) }),
            .. first.Take(3).Select(request => request with { Seed = request.Seed + 1, RepetitionPenalty = 1.2f, ThinkingBudget = 3, EndOfThinking = [298, 299] }),
        ];
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static int[] Cut(int[] prompt) => prompt.Length > 199 ? prompt[..199] : prompt;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Closed_calls_and_open_requests_get_along(bool together)
    {
        var requests = GeneratorTests.Requests(40);
        using var generator = new Generator(Tiny.Weights(Tiny.Even), new() { Threads = 2, Together = together, MaxBatch = 6 });
        var expected = generator.Generate(requests, cancel: TestContext.Current.CancellationToken);
        var open = requests.Select(request => Task.Run(() => generator.SubmitAsync(request))).ToArray();
        var closed = Enumerable.Range(0, 4).Select(_ => Task.Run(() => generator.Generate(requests))).ToArray();
        var late = requests.Select(request => Task.Run(() => generator.SubmitAsync(request))).ToArray();
        foreach (var results in await Task.WhenAll(closed)) GeneratorTests.AssertSame(expected, results);
        GeneratorTests.AssertSame(expected, await Task.WhenAll(open));
        GeneratorTests.AssertSame(expected, await Task.WhenAll(late));
    }

    [Fact]
    public async Task A_beginning_that_concurrent_prompts_share_is_computed_once()
    {
        using var generator = new Generator(Tiny.Weights(Tiny.Even), new() { Threads = 1, MaxBatch = 20 });
        var random = new Random(3);
        var specification = Tiny.Tokens(random, 150);
        var requests = Enumerable.Range(0, 30).Select(i => new GenerationRequest { Prompt = [.. specification, i, .. Tiny.Tokens(random, 5)], MaxNewTokens = 4, Seed = i }).ToArray();
        var expected = requests.Select(request => generator.Generate([request])[0]).ToArray();
        var before = generator.Computed;
        GeneratorTests.AssertSame(expected, await Task.WhenAll(requests.Select(request => generator.SubmitAsync(request))));
        Assert.Equal(150 + 30 * (6 + 3), generator.Computed - before); // the last new token is not computed
        // And once more, a while later.
        before = generator.Computed;
        GeneratorTests.AssertSame([expected[7]], [await generator.SubmitAsync(requests[7], TestContext.Current.CancellationToken)]);
        Assert.InRange(generator.Computed - before, 1, 9);
    }
}
