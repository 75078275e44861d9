using System.Text.Json;
using CsCheck;
using Deliberate.Evaluation;
using Deliberate.Runs;
using Xunit;

namespace Deliberate.Tests.Evaluation;

public class BootstrapTests
{
    [Fact]
    public void The_interval_holds_the_mean_and_the_same_seed_gives_it_again()
    {
        Gen.Double[-10, 10].Array[1, 40].Sample(values =>
        {
            var metric = new Bootstrap(3, resamples: 200).Mean(values, unscored: 2);
            Assert.InRange(metric.Low, values.Min() - 1e-9, metric.High);
            Assert.InRange(metric.High, metric.Low, values.Max() + 1e-9);
            Assert.Equal(values.Average(), metric.Value, 1e-9);
            Assert.Equal((values.Length, 2), (metric.N, metric.Unscored));
            Assert.Equal(metric, new Bootstrap(3, resamples: 200).Mean(values, unscored: 2));
        }, iter: 50);
    }

    [Fact]
    public void The_interval_of_a_share_is_that_of_the_binomial_distribution()
    {
        var holds = Enumerable.Range(0, 400).Select(number => number % 5 == 0).ToArray();
        var metric = new Bootstrap(1, resamples: 20_000).Share(holds);
        // 2.5 % and 97.5 % of Binomial(400, 0.2) are 65 and 96; one draw more or less is chance.
        Assert.Equal(0.2, metric.Value, 1e-12);
        Assert.Equal(65 / 400.0, metric.Low, 1.01 / 400);
        Assert.Equal(96 / 400.0, metric.High, 1.01 / 400);
    }

    [Fact]
    public void A_paired_difference_takes_the_items_together()
    {
        double[] a = [1, 0, 1, 0, 1], b = [0, -1, 0, -1, 0];
        Assert.Equal(new Metric(1, 1, 1, 5), new Bootstrap(1).Difference(a, b));
        Assert.Throws<ArgumentException>(() => new Bootstrap(1).Difference(a, [1]));
    }

    [Fact]
    public void No_items_give_no_value_and_null_in_json()
    {
        var none = new Bootstrap(1).Mean([], unscored: 4);
        Assert.Equal(Metric.None(4), none);
        const string Json = """{"value":null,"low":null,"high":null,"n":0,"unscored":4}""";
        Assert.Equal(Json, JsonSerializer.Serialize(none, RunJson.Options));
        Assert.Equal(none, JsonSerializer.Deserialize<Metric>(Json, RunJson.Options));
        Assert.Contains("null", JsonSerializer.Serialize(none), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_are_no_numbers_are_refused() => Assert.Throws<ArgumentException>(() => new Bootstrap(1).Mean([1, double.NaN]));

    [Fact]
    public void A_metric_reads_well() => Assert.Equal("0.500 [0.250, 0.750] (n 4, 1 unscored)", new Metric(0.5, 0.25, 0.75, 4, 1).ToString());
}
