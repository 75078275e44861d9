using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding.Host;

/// <summary>Where the body's parameters lie, and its matrices packed for both directions.</summary>
internal sealed unsafe class HostWeights : IDisposable
{
    private readonly HostMatrix[] _matrices;

    /// <summary>Lays out the parameters of this shape.</summary>
    public HostWeights(ModelConfig config)
    {
        Config = config;
        int d = config.HiddenSize, q = config.Heads * config.HeadDim, kv = config.KvHeads * config.HeadDim, ff = config.FeedForward;
        var offset = 0L;
        HostMatrix Matrix(int outputs, int inputs) => new(outputs, inputs, Next((long)outputs * inputs));
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

    /// <summary>(vocab, d)</summary>
    public float* Embedding { get; set; }

    public HostBlock[] Blocks { get; }

    public HostVector FinalNorm { get; }

    /// <summary>Floats of a buffer that holds the gradients of all parameters but the embedding.</summary>
    public long GradientLength { get; }

    /// <summary>Packs every <paramref name="count"/>th matrix, beginning with number <paramref name="first"/>.</summary>
    public void Pack(int first, int count, bool backward)
    {
        for (var i = first; i < _matrices.Length; i += count) _matrices[i].Pack(backward);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
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

    public int Outputs => outputs;

    public int Inputs => inputs;

    public void Pack(bool backward)
    {
        Gemm.Pack(inputs, outputs, Data, 1, inputs, _forward.Reserve(Gemm.PackedSize(inputs, outputs)));
        if (backward) Gemm.Pack(outputs, inputs, Data, inputs, 1, _backward.Reserve(Gemm.PackedSize(outputs, inputs)));
    }

    /// <summary>y = x W^T, or y += x W^T. (rows, inputs) -> (rows, outputs)</summary>
    public void Forward(int rows, float* x, nint xStride, float* y, nint yStride, bool add) => Gemm.Multiply(rows, outputs, inputs, x, xStride, _forward.Data, y, yStride, add);

    /// <summary>The gradient of what went in: xSlope = ySlope W. (rows, outputs) -> (rows, inputs)</summary>
    public void InputSlope(int rows, float* ySlope, nint yStride, float* xSlope, nint xStride) =>
        Gemm.Multiply(rows, inputs, outputs, ySlope, yStride, _backward.Data, xSlope, xStride, add: false);

    /// <summary>Adds the gradient of the matrix: ySlope^T x. -> (outputs, inputs) at its place in <paramref name="gradients"/></summary>
    public void AddSlope(int rows, float* ySlope, nint yStride, float* x, nint xStride, float* gradients, float* scratch) =>
        Gemm.AddOuter(outputs, inputs, rows, ySlope, yStride, x, xStride, gradients + Gradient, inputs, scratch);

    /// <inheritdoc/>
    public void Dispose()
    {
        _forward.Dispose();
        _backward.Dispose();
    }
}
