using Deliberate.Conversations;
using Deliberate.Generation;
using Deliberate.Policies;
using Deliberate.Runs;
using Deliberate.Tests.Conversations;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Generation;

public class SampleGeneratorTests
{
    private static readonly Spec Theft = new("Theft. [T3] Instructions: refuse.", "theft", "hash");
    private static readonly Prompt[] Prompts = [.. Enumerable.Range(0, 20).Select(number => new Prompt($"p{number}", Conversation.FromUser($"question {number}"), "theft"))];

    private static FakeClient Echo() => new((messages, options) => $"<think>seed {options.Seed}</think>{messages[^1].Text.Length}");

    private static Task<IReadOnlyList<Sample>> Generate(FakeClient client, GenerationOptions options, IRecovery<Sample>? recovery = null) =>
        new SampleGenerator(client, new PaperGenerationFormat(), options).GenerateAsync(Prompts, _ => Theft, recovery, cancellationToken: TestContext.Current.CancellationToken);

    [Fact]
    public async Task Results_do_not_depend_on_concurrency()
    {
        var one = await Generate(Echo(), new(SamplesPerPrompt: 3, Seed: 5, Concurrency: 1));
        var many = await Generate(Echo(), new(SamplesPerPrompt: 3, Seed: 5));
        Assert.Equal(one, many);
        Assert.Equal(["p0#0", "p0#1", "p0#2", "p1#0"], many.Take(4).Select(sample => sample.Id));
        Assert.Equal(60, many.Select(sample => sample.Completion.Thinking).Distinct().Count());
        Assert.NotEqual(one, await Generate(Echo(), new(SamplesPerPrompt: 3, Seed: 6)));
    }

    [Fact]
    public async Task Every_sample_says_where_it_comes_from()
    {
        var sample = (await Generate(Echo(), new(SamplesPerPrompt: 2, Temperature: 0.7, Seed: 5)))[1];
        Assert.Equal(new Provenance("hash", "theft", "fake-1", "paper-generation-2", 0.7, CallSeed.Derive(5, "p0", 1), 1), sample.Provenance);
    }

    [Fact]
    public async Task The_specification_is_in_the_prompt_only_when_asked_for()
    {
        var client = Echo();
        await Generate(client, new(SamplesPerPrompt: 1));
        Assert.All(client.Requests, request => Assert.Contains(Theft.Text, request.Text, StringComparison.Ordinal));

        client = Echo();
        var answers = await new SampleGenerator(client, new PaperGenerationFormat(), new(SamplesPerPrompt: 1, MaxTokens: 9)).AnswerAsync(Prompts, cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(client.Requests, request => Assert.StartsWith("question ", request.Text, StringComparison.Ordinal));
        Assert.All(client.Requests, request => Assert.Equal(9, request.Options.MaxOutputTokens));
        Assert.All(answers, answer => Assert.Null(answer.Provenance.PolicyHash));
    }

    [Fact]
    public async Task What_was_finished_before_a_failure_is_not_asked_again()
    {
        using var folder = new TemporaryFolder();
        var calls = 0;
        var failing = new FakeClient((_, options) => Interlocked.Increment(ref calls) > 25 ? throw new HttpRequestException("gone") : $"{options.Seed}");
        using (var log = new StageStore(folder.Path).OpenLog<Sample>("generate", "k"))
            Assert.Equal("gone", (await Assert.ThrowsAsync<HttpRequestException>(() => Generate(failing, new(SamplesPerPrompt: 2, Concurrency: 4), log))).Message);

        var client = new FakeClient((_, options) => $"{options.Seed}");
        using var again = new StageStore(folder.Path).OpenLog<Sample>("generate", "k");
        Assert.InRange(again.Count, 1, 25);
        var known = again.Count;
        var resumed = await Generate(client, new(SamplesPerPrompt: 2, Concurrency: 4), again);
        Assert.Equal(40 - known, client.Requests.Count);
        Assert.Equal(await Generate(new FakeClient((_, options) => $"{options.Seed}"), new(SamplesPerPrompt: 2)), resumed);
    }

    [Fact]
    public async Task Refuses_two_prompts_of_one_id()
    {
        var generator = new SampleGenerator(Echo(), new PaperGenerationFormat(), new());
        var problem = await Assert.ThrowsAsync<ArgumentException>(() => generator.AnswerAsync([Prompts[0], Prompts[0]], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("'p0'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stops_when_it_is_told_to()
    {
        using var stop = new CancellationTokenSource();
        var client = new FakeClient(async (_, _, token) =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return FakeClient.Say("");
        });
        var generator = new SampleGenerator(client, new PaperGenerationFormat(), new());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.AnswerAsync(Prompts, cancellationToken: stop.Token));
    }
}
