using Deliberate.Inference.Models;
using static TorchSharp.torch;

namespace Deliberate.Training.Decoding.Host;

/// <summary>Where the body's parameters lie, and its matrices packed for both directions.</summary>
internal sealed unsafe class HostWeights : IDisposable
{
    private readonly HostMatrix[] _matrices;

    /// <summary>Lays out the parameters of this shape.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="adapters">Of each matrix in turn its adapters, where those are trained and all else is frozen; null trains everything.</param>
    public HostWeights(ModelConfig config, IReadOnlyList<IReadOnlyList<(Tensor A, Tensor B, long Row, double Scale)>>? adapters = null)
    {
        Config = config;
        IsFrozen = adapters is not null;
        int d = config.HiddenSize, q = config.Heads * config.HeadDim, kv = config.KvHeads * config.HeadDim, ff = config.FeedForward;
        var offset = 0L;
        var number = 0;
        HostMatrix Matrix(int outputs, int inputs)
        {
            if (adapters is null) return new(outputs, inputs, Next((long)outputs * inputs));
            var own = adapters[number++];
            FrozenSize += (long)outputs * inputs;
            return new(outputs, inputs, 0) { IsFrozen = true, Adapter = own.Count == 0 ? null : new(own, outputs, inputs, Next) };
        }

        long Next(long length)
        {
            var at = offset;
            offset += (length + 15) / 16 * 16;
            return at;
        }

        Blocks = [.. Enumerable.Range(0, config.Layers).Select(_ => new HostBlock(new(Next(d)), Matrix(q + 2 * kv, d), Matrix(d, q), new(Next(d)), Matrix(2 * ff, d), Matrix(d, ff)))];
        FinalNorm = new(Next(d));
        GradientLength = offset;
        _matrices = [.. Blocks.SelectMany(block => (HostMatrix[])[block.Qkv, block.Output, block.GateUp, block.Down])];
    }

    public ModelConfig Config { get; }

    /// <summary>Whether only adapters are trained.</summary>
    public bool IsFrozen { get; }

    /// <summary>Values of all frozen matrices.</summary>
    public long FrozenSize { get; private set; }

    /// <summary>The widest of the adapters' sums of ranks; 0 without any.</summary>
    public int Rank => _matrices.Max(matrix => matrix.Adapter?.Rank ?? 0);

    /// <summary>The adapters of all matrices.</summary>
    public IEnumerable<HostAdapter> Adapters => _matrices.Select(matrix => matrix.Adapter).OfType<HostAdapter>();

    /// <summary>All matrices, block by block.</summary>
    public IReadOnlyList<HostMatrix> Matrices => _matrices;

    /// <summary>(vocab, d)</summary>
    public float* Embedding { get; set; }

    /// <summary>The same in bf16, where it is frozen so; null else.</summary>
    public ushort* EmbeddingRounded { get; set; }

    public HostBlock[] Blocks { get; }

    public HostVector FinalNorm { get; }

    /// <summary>Floats of a buffer that holds the gradients of all parameters but the embedding.</summary>
    public long GradientLength { get; }

    /// <summary>Packs every <paramref name="count"/>th matrix, beginning with number <paramref name="first"/>.</summary>
    public void Pack(int first, int count, bool backward)
    {
        for (var i = first; i < _matrices.Length; i += count)
        {
            if (!IsFrozen) _matrices[i].Pack(backward);
            else if (_matrices[i].Adapter is { IsOn: true } adapter) adapter.Load(backward);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var adapter in Adapters) adapter.Dispose();
        foreach (var matrix in _matrices) matrix.Dispose();
    }
}

/// <summary>The parameters of one block, as in the decoder.</summary>
internal sealed record HostBlock(HostVector InputNorm, HostMatrix Qkv, HostMatrix Output, HostVector PostNorm, HostMatrix GateUp, HostMatrix Down);

/// <summary>A parameter: where its values lie, and where its gradient begins in a buffer of gradients.</summary>
internal unsafe class HostVector(long gradient)
{
    public long Gradient { get; } = gradient;

    public float* Data { get; set; }
}

/// <summary>A matrix of this many outputs and inputs, packed for the products with it and with its transpose.</summary>
internal sealed unsafe class HostMatrix(int outputs, int inputs, long gradient) : HostVector(gradient), IDisposable
{
    private readonly NativeBuffer _forward = new(), _backward = new();

    /// <summary>Whether its own values are not trained.</summary>
    public bool IsFrozen { get; init; }

    /// <summary>Its adapters; null without.</summary>
    public HostAdapter? Adapter { get; init; }

    public int Outputs => outputs;

    public int Inputs => inputs;

    public void Pack(bool backward)
    {
        Gemm.Pack(inputs, outputs, Data, 1, inputs, _forward.Reserve(Gemm.PackedSize(inputs, outputs)));
        if (backward) Gemm.Pack(outputs, inputs, Data, inputs, 1, _backward.Reserve(Gemm.PackedSize(outputs, inputs)));
    }

    /// <summary>y = x W^T, or y += x W^T. (rows, inputs) -> (rows, outputs)</summary>
    public void Forward(int rows, float* x, nint xStride, float* y, nint yStride, bool add, HostTile tile)
    {
        Multiply(rows, x, xStride, y, yStride, add);
        if (Adapter is not { IsOn: true } adapter) return;
        adapter.A.Multiply(rows, x, xStride, tile.Low, tile.LowStride, add: false);
        adapter.B.Multiply(rows, tile.Low, tile.LowStride, y, yStride, add: true);
    }

    /// <summary>The gradient of what went in: xSlope = ySlope W. (rows, outputs) -> (rows, inputs)</summary>
    public void InputSlope(int rows, float* ySlope, nint yStride, float* xSlope, nint xStride, HostTile tile)
    {
        MultiplyBack(rows, ySlope, yStride, xSlope, xStride, add: false);
        if (Adapter is not { IsOn: true } adapter) return;
        adapter.B.MultiplyBack(rows, ySlope, yStride, tile.LowSlope, tile.LowStride, add: false);
        adapter.A.MultiplyBack(rows, tile.LowSlope, tile.LowStride, xSlope, xStride, add: true);
    }

    /// <summary>Adds the gradient of the matrix: ySlope^T x. -> (outputs, inputs) at its place in <paramref name="gradients"/></summary>
    public void AddSlope(int rows, float* ySlope, nint yStride, float* x, nint xStride, float* gradients, HostTile tile)
    {
        if (!IsFrozen) AddOuter(rows, ySlope, yStride, x, xStride, gradients, tile.Scratch);
        if (Adapter is not { IsOn: true } adapter) return;
        // The inner values are cheap to make again.
        adapter.A.Multiply(rows, x, xStride, tile.Low, tile.LowStride, add: false);
        adapter.B.AddOuter(rows, ySlope, yStride, tile.Low, tile.LowStride, gradients, tile.Scratch);
        adapter.B.MultiplyBack(rows, ySlope, yStride, tile.LowSlope, tile.LowStride, add: false);
        adapter.A.AddOuter(rows, tile.LowSlope, tile.LowStride, x, xStride, gradients, tile.Scratch);
    }

    private void Multiply(int rows, float* x, nint xStride, float* y, nint yStride, bool add) => Gemm.Multiply(rows, outputs, inputs, x, xStride, _forward.Data, y, yStride, add);

    private void MultiplyBack(int rows, float* ySlope, nint yStride, float* xSlope, nint xStride, bool add) =>
        Gemm.Multiply(rows, inputs, outputs, ySlope, yStride, _backward.Data, xSlope, xStride, add);

    private void AddOuter(int rows, float* ySlope, nint yStride, float* x, nint xStride, float* gradients, float* scratch) =>
        Gemm.AddOuter(outputs, inputs, rows, ySlope, yStride, x, xStride, gradients + Gradient, inputs, scratch);

    /// <inheritdoc/>
    public void Dispose()
    {
        _forward.Dispose();
        _backward.Dispose();
    }
}
