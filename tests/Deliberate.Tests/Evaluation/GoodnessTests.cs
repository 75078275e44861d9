using Deliberate.Evaluation;
using Xunit;

namespace Deliberate.Tests.Evaluation;

public class GoodnessTests
{
    private static double[] Attempts(int count, params double[] worst) => [.. Enumerable.Repeat(1.0, count - worst.Length), .. worst];

    [Fact]
    public void Each_prompt_counts_by_the_mean_of_its_worst_tenth()
    {
        Assert.Equal([0.25], Goodness.WorstShare([Attempts(20, 0.5, 0)], 0.1));
        Assert.Equal([0, 1], Goodness.WorstShare([Attempts(10, 0), Attempts(10)], 0.1));
    }

    [Fact]
    public void A_fraction_of_an_attempt_counts_by_that_fraction() =>
        // A tenth of 35 is three and a half: (0 + 0 + 0 + 0.5 * 1) / 3.5
        Assert.Equal(0.5 / 3.5, Goodness.WorstShare([Attempts(35, 0, 0, 0)], 0.1)[0], 1e-12);

    [Fact]
    public void One_attempt_is_the_least() => Assert.Equal([0.25], Goodness.WorstShare([[0.25, 0.5, 1]], 0.1));

    [Fact]
    public void Prompts_without_attempts_are_unscored()
    {
        var metric = Goodness.AtTenPercent([[1], [], [0]], new Bootstrap(1));
        Assert.Equal((0.5, 2, 1), (metric.Value, metric.N, metric.Unscored));
        Assert.Equal(Metric.None(), Goodness.AtTenPercent([], new Bootstrap(1)));
    }
}
