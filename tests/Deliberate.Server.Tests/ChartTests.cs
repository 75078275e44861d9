using System.Globalization;
using System.Text.RegularExpressions;
using CsCheck;
using Deliberate.Server.Report;
using Deliberate.Server.Report.Charts;
using Xunit;

namespace Deliberate.Server.Tests;

public class ChartTests
{
    [Fact]
    public void Labels_of_six_points_stay_in_the_plot_and_never_overlap() =>
        Gen.Select(Gen.Double[0, 1], Gen.Double[0, 1]).Array[6].Sample(points =>
        {
            var plot = new Box(56, 12, 378, 348);
            double[] widths = [35, 98, 112, 27, 57, 64];
            var labels = points.Select((point, i) => new LabelPlacer.Label(74 + (point.Item1 * 286), 28 + (point.Item2 * 304), widths[i], 17)).ToArray();
            var places = LabelPlacer.Place(labels, [], plot);
            Assert.All(places, place => Assert.True(plot.Contains(place)));
            for (var i = 0; i < places.Count; i++)
                for (var j = 0; j < i; j++)
                    Assert.Equal(0, places[i].Overlap(places[j]));
        });

    [Fact]
    public void Six_points_in_one_place_still_get_labels_apart()
    {
        var places = LabelPlacer.Place([.. Enumerable.Repeat(new LabelPlacer.Label(360, 28, 90, 17), 6)], [], new(56, 12, 378, 348));
        Assert.Equal(0, places.SelectMany((place, i) => places.Skip(i + 1).Select(place.Overlap)).Sum());
    }

    [Fact]
    public void A_scale_holds_its_values_between_round_ends() =>
        Gen.Double[-1e6, 1e6].Array[1, 20].Sample(values =>
        {
            var scale = LinearScale.Around(values, 0, 100);
            Assert.All(values, value => Assert.InRange(scale.Of(value), -1e-6, 100 + 1e-6));
            Assert.InRange(scale.Ticks(4).Count, 2, 20);
        });

    [Fact]
    public void A_scale_of_nothing_or_of_what_is_not_finite_can_be_drawn()
    {
        var scale = LinearScale.Around([double.NaN, double.PositiveInfinity], 0, 100);
        Assert.True(double.IsFinite(scale.Of(0.5)));
        Assert.NotEmpty(scale.Ticks(3));
    }

    [Fact]
    public void Numbers_for_drawings_never_use_an_exponent_or_a_comma() =>
        Gen.Double[-1e4, 1e4].Sample(value => Assert.Matches("^-?[0-9]+(\\.[0-9]{1,2})?$", LinearScale.Number(value)));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Colours_keep_their_contrast_in_both_themes(int theme)
    {
        // The first block of variables is the light theme, the second the dark one.
        var block = Regex.Matches(InlineAsset.Read("report.css"), ":root \\{(.*?)\\}", RegexOptions.Singleline)[theme].Groups[1].Value;
        var colours = Regex.Matches(block, "--([a-z-]+): #([0-9a-f]{6})").ToDictionary(match => match.Groups[1].Value, match => Luminance(match.Groups[2].Value));
        string[] grounds = ["page", "surface", "sunk"];
        foreach (var ground in grounds.Select(name => colours[name]))
        {
            foreach (var text in new[] { "text", "muted", "link", "good", "bad", "open" }) Assert.True(Contrast(colours[text], ground) >= 4.5, $"{text}: {Contrast(colours[text], ground):0.00}");
            foreach (var (name, mark) in colours.Where(pair => pair.Key.StartsWith("arm-", StringComparison.Ordinal))) Assert.True(Contrast(mark, ground) >= 3, $"{name}: {Contrast(mark, ground):0.00}");
        }
    }

    private static double Contrast(double one, double other) => (Math.Max(one, other) + 0.05) / (Math.Min(one, other) + 0.05);

    // WCAG 2, relative luminance.
    private static double Luminance(string colour)
    {
        var parts = Enumerable.Range(0, 3).Select(i => int.Parse(colour.AsSpan(2 * i, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0)
            .Select(part => part <= 0.04045 ? part / 12.92 : Math.Pow((part + 0.055) / 1.055, 2.4)).ToArray();
        return (0.2126 * parts[0]) + (0.7152 * parts[1]) + (0.0722 * parts[2]);
    }
}
