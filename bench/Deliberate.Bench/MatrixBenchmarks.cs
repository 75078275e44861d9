using BenchmarkDotNet.Attributes;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;

namespace Deliberate.Bench;

/// <summary>The products of the miniature's feed-forward block, by rows at once and by kind of weights.</summary>
[InProcess]
public unsafe class MatrixBenchmarks
{
    private const int Inputs = 192, Outputs = 512;
    private readonly PackedMatrix _matrix = new(Outputs, Inputs);
    private readonly float[] _x = GC.AllocateArray<float>(128 * Inputs, pinned: true), _y = GC.AllocateArray<float>(128 * Outputs, pinned: true);

    [Params(1, 2, 6, 32, 128)]
    public int Rows { get; set; }

    [Params(false, true)]
    public bool Bf16 { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var weights = Enumerable.Range(0, Outputs * Inputs).Select(_ => (float)random.NextDouble()).ToArray();
        _matrix.Load(Bf16 ? Array.ConvertAll(weights, value => BFloat16.ToSingle(BFloat16.FromSingle(value))) : weights);
        for (var i = 0; i < _x.Length; i++) _x[i] = (float)random.NextDouble();
    }

    [Benchmark]
    public void Multiply()
    {
        fixed (float* x = _x, y = _y) _matrix.Multiply(x, Inputs, y, Rows, add: false);
    }
}
