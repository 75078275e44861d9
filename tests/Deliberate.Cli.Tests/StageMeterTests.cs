using Deliberate.Cli.Interaction;
using Deliberate.Pipeline;
using Xunit;

namespace Deliberate.Cli.Tests;

public class StageMeterTests
{
    private readonly ManualTime _time = new();

    private static StageProgress At(int done, string stage = "judge", string? arm = null) => new(stage, arm, done, 100, "verdicts", "");

    [Fact]
    public void The_rate_and_the_time_left_follow_from_the_reports()
    {
        var meter = new StageMeter(_time);
        var first = meter.Take(At(0));
        Assert.Equal((true, false, null, null), (first.Started, first.Finished, first.Rate, first.Left));
        _time.Pass(4);
        var second = meter.Take(At(20));
        Assert.Equal((false, 5.0, TimeSpan.FromSeconds(16), TimeSpan.FromSeconds(4)), (second.Started, second.Rate, second.Left, second.Elapsed));
        _time.Pass(2);
        Assert.Equal(TimeSpan.FromSeconds(6), meter.Refresh(second).Elapsed);
    }

    [Fact]
    public void Work_of_an_earlier_run_does_not_count_as_pace()
    {
        var meter = new StageMeter(_time);
        meter.Take(At(80));
        _time.Pass(5);
        Assert.Equal((2.0, TimeSpan.FromSeconds(5)), (meter.Take(At(90)).Rate, meter.Take(At(90)).Left));
    }

    [Fact]
    public void A_stage_that_reports_once_has_taken_the_time_since_the_one_before()
    {
        var meter = new StageMeter(_time);
        meter.Take(At(100, "generate"));
        _time.Pass(3);
        var only = meter.Take(At(100, "distill"));
        Assert.Equal((true, true, null, null, TimeSpan.FromSeconds(3)), (only.Started, only.Finished, only.Rate, only.Left, only.Elapsed));
    }

    [Fact]
    public void Arms_are_measured_apart_and_may_come_again()
    {
        var meter = new StageMeter(_time);
        meter.Take(At(0, "sft", "sft"));
        _time.Pass(10);
        meter.Take(At(0, "sft", "instant-refusal"));
        _time.Pass(10);
        Assert.Equal(5.0, meter.Take(At(100, "sft", "sft")).Rate);
        Assert.Equal(5.0, meter.Take(At(50, "sft", "instant-refusal")).Rate);
        Assert.True(meter.Take(At(0, "sft", "sft")).Started);
    }
}
