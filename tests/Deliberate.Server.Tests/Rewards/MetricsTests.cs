using System.Text.RegularExpressions;
using Deliberate.Judging;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

public partial class MetricsTests
{
    [Fact]
    public async Task What_happens_is_counted_by_protocol_and_outcome()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge((view, _) => view.Answer == "bad" ? Verdict.Unscored(VerdictKinds.Truncated, "") : new(0.25, "")));
        await host.PostAsync("/score", RewardHost.Score("good"));
        await host.PostAsync("/score", RewardHost.Score("good"));
        await host.PostAsync("/score", RewardHost.Score("bad"));
        await host.PostAsync("/reward", RewardHost.Reward(("a<think>", "a", null)));
        var text = await host.MetricsAsync();
        foreach (var line in new[]
        {
            "# TYPE deliberate_reward_items_total counter",
            "deliberate_reward_items_total{protocol=\"score\",outcome=\"scored\"} 2",
            "deliberate_reward_items_total{protocol=\"score\",outcome=\"unscored\",error_type=\"truncated\"} 1",
            "deliberate_reward_items_total{protocol=\"openrlhf\",outcome=\"malformed\"} 1",
            "deliberate_reward_cache_total{result=\"kept\"} 1",
            "deliberate_reward_score_bucket{le=\"0.3\"} 3",
            "deliberate_reward_score_count 3",
            "deliberate_reward_score_sum 0.5",
            "deliberate_reward_duration_seconds_count{protocol=\"score\"} 3",
            "deliberate_reward_batch_size_bucket{le=\"1\"} 2",
            "# TYPE deliberate_reward_in_flight gauge",
            "deliberate_reward_in_flight 0",
        })
            Assert.Contains($"\n{line}\n", $"\n{text}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_text_is_in_the_format_of_Prometheus()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge());
        await host.PostAsync("/score", RewardHost.Score("good"));
        var text = await host.MetricsAsync();
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.All(text.TrimEnd('\n').Split('\n'), line => Assert.Matches(Line(), line));
        Assert.Equal(text.Split('\n').Count(line => line.StartsWith("# TYPE", StringComparison.Ordinal)), text.Split('\n').Where(line => line.StartsWith("# TYPE", StringComparison.Ordinal)).Distinct().Count());
        Assert.Contains("dotnet_process_memory_working_set_bytes ", text, StringComparison.Ordinal);
    }

    [GeneratedRegex("""^(# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .*|# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram)|[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\["\\n])*",?)+\})? (NaN|[+-]Inf|-?[0-9.eE+-]+))$""")]
    private static partial Regex Line();
}
