namespace Deliberate.Server.Report.Charts;

/// <summary>
/// Finds places for the labels of a scatter plot: each near its point, inside the plot, clear of the other labels, of all points and, where
/// it can be had, of the interval bars. Tries places on rings around each point and takes the cheapest, in two passes. Deterministic.
/// </summary>
internal static class LabelPlacer
{
    private const int Angles = 24;
    private const double PointRadius = 8;
    private static readonly double[] Rings = [6, 14, 24, 36, 50, 66, 84, 104];

    /// <summary>A label of the given size that belongs to the point (X, Y).</summary>
    public readonly record struct Label(double X, double Y, double Width, double Height);

    /// <summary>The place of each label, in order.</summary>
    /// <param name="labels">The labels and their points.</param>
    /// <param name="bars">Interval bars to keep clear of, as thin rectangles.</param>
    /// <param name="bounds">The plot.</param>
    public static IReadOnlyList<Box> Place(IReadOnlyList<Label> labels, IReadOnlyList<Box> bars, Box bounds)
    {
        var points = labels.Select(label => new Box(label.X - PointRadius, label.Y - PointRadius, label.X + PointRadius, label.Y + PointRadius)).ToArray();
        var placed = new Box?[labels.Count];
        for (var pass = 0; pass < 2; pass++)
        {
            for (var i = 0; i < labels.Count; i++)
            {
                var others = placed.Where((_, j) => j != i).OfType<Box>().ToArray();
                placed[i] = Candidates(labels[i]).MinBy(candidate => Cost(candidate.Place, candidate.Ring, others, points, bars, bounds)).Place;
            }
        }

        return [.. placed.Select(box => box!.Value)];
    }

    private static IEnumerable<(Box Place, int Ring)> Candidates(Label label)
    {
        for (var ring = 0; ring < Rings.Length; ring++)
        {
            // Right of the point comes first: of equal places, it reads best.
            for (var angle = 0; angle < Angles; angle++)
            {
                var turn = Math.PI * 2 * angle / Angles;
                var (dx, dy) = (Math.Cos(turn), Math.Sin(turn));
                var x = label.X + (dx * (PointRadius + Rings[ring] + (label.Width / 2)));
                var y = label.Y + (dy * (PointRadius + Rings[ring] + (label.Height / 2)));
                yield return (new(x - (label.Width / 2), y - (label.Height / 2), x + (label.Width / 2), y + (label.Height / 2)), ring);
            }
        }
    }

    private static double Cost(Box place, int ring, Box[] others, Box[] points, IReadOnlyList<Box> bars, Box bounds)
    {
        var cost = Rings[ring] * 1.5;
        if (!bounds.Contains(place)) cost += 1e6;
        foreach (var other in others) cost += other.Overlap(place) * 1000;
        foreach (var point in points) cost += point.Overlap(place) * 20;
        foreach (var bar in bars) cost += bar.Overlap(place) * 2;
        return cost;
    }
}
