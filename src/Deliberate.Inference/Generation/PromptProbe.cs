using System.Diagnostics;
using System.Globalization;

namespace Deliberate.Inference.Generation;

/// <summary>Which multiplies the tokens of prompts more quickly on this machine, measured on one matrix of the model.</summary>
/// <param name="Name">What was offered.</param>
/// <param name="LeastGain">How many times as quick it must be.</param>
/// <param name="Own">GFLOP/s of the engine's own kernels.</param>
/// <param name="Other">GFLOP/s of what was offered.</param>
/// <param name="Steady">Whether what was offered gives a row the same in every company, as far as it was looked into.</param>
internal sealed record PromptProbe(string Name, double LeastGain, double Own, double Other, bool Steady)
{
    private const int Times = 60; // of half a millisecond: the best of few can be that of a busy moment

    /// <summary>Whether the offer is worth its rounding and its memory. Answers that depend on their company are no good at any speed.</summary>
    public bool Chosen => Steady && Other > LeastGain * Own;

    /// <summary>As "bf16 by libtorch (612 GFLOP/s, own kernels 431)".</summary>
    public override string ToString() => Chosen
        ? string.Create(CultureInfo.InvariantCulture, $"{Name} ({Other:F0} GFLOP/s, own kernels {Own:F0})")
        : string.Create(CultureInfo.InvariantCulture, $"own kernels ({Own:F0} GFLOP/s, {Name} {Other:F0}{(Steady ? "" : ", which gives a token otherwise in other company")})");

    // Rows by themselves, in twos, threes and so on, and outputs as two threads have them, against all at once.
    private static bool IsSteady(PackedMatrix matrix, IPromptMatrices prompts, int threads)
    {
        const int Rows = ForwardPass.MaxRows;
        using var offered = prompts.Create(matrix.Outputs, matrix.Inputs);
        offered.Load(matrix.Row);
        var random = new Random(1);
        var (inputs, outputs) = (matrix.Inputs, matrix.Outputs);
        var x = new float[Rows * inputs];
        foreach (ref var value in x.AsSpan()) value = random.NextSingle() - 0.5f;
        var (whole, parts) = (new float[Rows * outputs], new float[Rows * outputs]);
        offered.Multiply(x, inputs, whole, outputs, Rows, 0, outputs, false);
        var half = outputs / Math.Max(2, threads);
        for (var (row, count) = (0, 1); row < Rows; row += count, count++)
        {
            var rows = Math.Min(count, Rows - row);
            foreach (var (first, columns) in ((int, int)[])[(0, half), (half, outputs - half)])
                offered.Multiply(x.AsSpan(row * inputs), inputs, parts.AsSpan(row * outputs + first), outputs, rows, first, columns, false);
        }

        return whole.AsSpan().SequenceEqual(parts);
    }

    /// <summary>Measures both.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompts">What is offered.</param>
    /// <param name="team">The threads.</param>
    public static unsafe PromptProbe Measure(PackedModel model, IPromptMatrices prompts, Team team)
    {
        const int Rows = ForwardPass.MaxRows;
        var matrix = model.Layers[0].Gate;
        using var offered = prompts.Create(matrix.Outputs, matrix.Inputs);
        offered.Load(matrix.Row);
        var (stride, inputs) = (matrix.Stride, matrix.Inputs);
        var (x, y) = (new float[Rows * inputs], new float[Rows * stride]);
        Array.Fill(x, 0.5f);
        var (own, other) = (double.MaxValue, double.MaxValue);
        fixed (float* from = x, to = y)
        {
            var (input, output) = ((nint)from, (nint)to);
            var parts = (stride + PackedMatrix.Cut - 1) / PackedMatrix.Cut;
            var columns = (matrix.Outputs + team.Size - 1) / team.Size;
            for (var i = 0; i < Times; i++)
            {
                own = Math.Min(own, Seconds(parts, part => matrix.Multiply((float*)input, inputs, (float*)output, Rows, false, part * PackedMatrix.Cut, Math.Min((part + 1) * PackedMatrix.Cut, stride))));
                other = Math.Min(other, Seconds(team.Size, part =>
                {
                    var (first, last) = (part * columns, Math.Min((part + 1) * columns, matrix.Outputs));
                    if (first < last) offered.Multiply(x, inputs, y.AsSpan(first), stride, Rows, first, last - first, false);
                }));
            }
        }

        var work = 2e-9 * Rows * inputs * matrix.Outputs;
        var probe = new PromptProbe(prompts.Name, prompts.LeastGain, work / own, work / other, Steady: true);
        // What is too slow needs no looking into.
        return probe.Chosen ? probe with { Steady = model.Layers[0].Matrices.DistinctBy(each => (each.Outputs, each.Inputs)).All(each => IsSteady(each, prompts, team.Size)) } : probe;

        double Seconds(int parts, Action<int> work)
        {
            var clock = Stopwatch.GetTimestamp();
            team.Run(me =>
            {
                for (int part; (part = team.Take(me, parts)) < parts;) work(part);
                team.Sync(me);
            });
            return Stopwatch.GetElapsedTime(clock).TotalSeconds;
        }
    }
}
