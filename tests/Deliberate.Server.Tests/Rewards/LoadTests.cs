using System.Globalization;
using System.Text.Json;
using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Runs;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

public class LoadTests
{
    private static readonly int Requests = int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_LOAD_REQUESTS"), out var given) ? given : 3000;

    [Fact]
    public async Task Of_many_requests_at_once_none_is_lost_or_swapped()
    {
        await using var host = await RewardHost.StartAsync(new Dawdling(), new() { BatchWindow = TimeSpan.FromMilliseconds(1), MaxBatches = 8, CacheCapacity = 100 });
        var answered = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Requests), new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = TestContext.Current.CancellationToken }, async (number, _) =>
        {
            // Every seventh asks for what others ask for too.
            var wanted = (number % 7 == 0 ? number % 49 : number) / (double)Requests;
            var text = wanted.ToString("R", CultureInfo.InvariantCulture);
            var (_, reply) = number % 3 == 0
                ? await host.PostAsync("/score", RewardHost.Score($"<think>{number}</think>{text}"))
                : await host.PostAsync("/reward", RewardHost.Reward(($"Say it.<think>{number}</think>{text}", "Say it.", null), ("Say it.0.125", "Say it.", null)));
            using var json = JsonDocument.Parse(reply);
            var scores = number % 3 == 0 ? [json.RootElement.GetProperty("score").GetDouble()] : json.RootElement.GetProperty("rewards").EnumerateArray().Select(score => score.GetDouble()).ToArray();
            Assert.Equal(number % 3 == 0 ? [wanted] : [wanted, 0.125], scores);
            Interlocked.Increment(ref answered);
        });
        Assert.Equal(Requests, answered);
        var metrics = await host.MetricsAsync();
        var items = Requests + Enumerable.Range(0, Requests).Count(number => number % 3 != 0);
        var counted = metrics.Split('\n').Where(line => line.StartsWith("deliberate_reward_items_total{", StringComparison.Ordinal)).Sum(line => long.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
        Assert.Equal(items, counted);
        Assert.Contains("\ndeliberate_reward_in_flight 0\n", metrics, StringComparison.Ordinal);
    }

    // Scores an answer by the number that it is, after a while that differs.
    private sealed class Dawdling : IAnswerJudge
    {
        public string Version => "dawdling-1";

        public async Task<IReadOnlyList<Judgement>> JudgeAsync(
            IReadOnlyList<(AnswerView View, Spec Spec, string Id)> items, IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
        {
            if (items.Count % 3 != 0) await Task.Delay(items.Count % 3, cancellationToken);
            return [.. items.Select(item => new Judgement([new Verdict(double.Parse(item.View.Answer, CultureInfo.InvariantCulture), "")]))];
        }
    }
}
