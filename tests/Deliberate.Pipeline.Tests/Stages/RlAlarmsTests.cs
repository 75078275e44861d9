using Deliberate.Pipeline.Stages;
using Xunit;

namespace Deliberate.Pipeline.Tests.Stages;

public class RlAlarmsTests
{
    private static readonly RlFigures Calm = new(0, 0.9, 0.01, 0.5, 50, 0.3, 0.4, 0, null, 0, null);

    private static RlAlarms Watch(int steps, Func<int, RlFigures> at)
    {
        var alarms = new RlAlarms();
        for (var step = 1; step <= steps; step++) alarms.Watch(at(step) with { Step = step });
        return alarms;
    }

    [Fact]
    public void A_steady_run_raises_none() => Assert.Empty(Watch(40, step => Calm with { Reward = 0.8 + step * 0.004, Oracle = step % 6 == 0 ? 0.8 + step * 0.004 : null }).Raised);

    [Theory]
    [InlineData("length")]
    [InlineData("refusal-rate")]
    [InlineData("entropy")]
    [InlineData("judge-errors")]
    [InlineData("reward-up-oracle-down")]
    public void Each_kind_is_raised_by_its_cause_alone_and_once(string kind)
    {
        var alarms = Watch(40, step =>
        {
            var late = step > 12;
            return kind switch
            {
                "length" => Calm with { Length = late ? 90 : 50 },
                "refusal-rate" => Calm with { Refusals = late ? 0.7 : 0.3 },
                "entropy" => Calm with { Entropy = late ? 0.01 : 0.5 },
                "judge-errors" => Calm with { Wrong = 10, FalseGood = late ? 0.4 : 0.02 },
                _ => Calm with { Reward = late ? 0.97 : 0.8, Oracle = step % 6 == 0 ? (late ? 0.7 : 0.85) : null },
            };
        });
        var alarm = Assert.Single(alarms.Raised);
        Assert.Equal(kind, alarm.Kind);
        Assert.InRange(alarm.Step, 13, 24);
    }

    [Fact]
    public void A_few_wrong_answers_are_no_ground_for_an_alarm() => Assert.Empty(Watch(20, _ => Calm with { Wrong = 1, FalseGood = 1 }).Raised);
}
