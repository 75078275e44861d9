using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding.Host;

/// <summary>Distances between the tokens of each kind of activation, and where they lie in their buffers.</summary>
internal sealed unsafe class HostStrides(ModelConfig config, int rank)
{
    private readonly int _heads = config.Heads, _widest = Math.Max(Math.Max(Math.Max(config.HiddenSize, config.FeedForward), config.Heads * config.HeadDim), rank);

    /// <summary>Of the residual stream. (d)</summary>
    public int Model { get; } = Gemm.Stride(config.HiddenSize);

    /// <summary>Of queries, keys and values. ((heads + 2 kv heads) * dim)</summary>
    public int Qkv { get; } = Gemm.Stride((config.Heads + 2 * config.KvHeads) * config.HeadDim);

    /// <summary>Of what the heads read. (heads * dim)</summary>
    public int Attended { get; } = Gemm.Stride(config.Heads * config.HeadDim);

    /// <summary>Of SwiGLU's two inputs. (2 ff)</summary>
    public int GateUp { get; } = Gemm.Stride(2 * config.FeedForward);

    /// <summary>Of SwiGLU's result. (ff)</summary>
    public int Inner { get; } = Gemm.Stride(config.FeedForward);

    /// <summary>Of what passes through adapters. (R)</summary>
    public int Low { get; } = Gemm.Stride(rank);

    /// <summary>The activations of a layer; one layer's place serves all where they are not kept. Beyond the last layer there is only an input.</summary>
    public HostActivations ActivationsOf(NativeBuffer buffer, int tokens, int layers, bool keep, int layer)
    {
        var (each, column) = ((long)tokens, Column(tokens));
        var size = each * (2 * Model + Qkv + Attended + GateUp) + (2 + _heads) * column;
        var at = buffer.Reserve((keep ? layers : 1) * size + each * Model) + (keep ? layer : 0) * size;
        float* Take(long length)
        {
            var taken = at;
            at += length;
            return taken;
        }

        return new(Take(each * Model), Take(each * Model), Take(each * Qkv), Take(each * Attended), Take(each * GateUp), Take(column), Take(column), Take(_heads * column));
    }

    /// <summary>Gradients of activations that pass from one product to another.</summary>
    public HostSlopes SlopesOf(NativeBuffer buffer, int tokens)
    {
        var at = buffer.Reserve((long)tokens * (Model + Attended + Qkv));
        return new(at, at + (long)tokens * Model, at + (long)tokens * (Model + Attended));
    }

    /// <summary>Room for what some tokens need between two products.</summary>
    public HostTile TileOf(NativeBuffer buffer)
    {
        const int rows = Gemm.BlockRows;
        var at = buffer.Reserve(rows * (2 * Model + 2 * Inner + GateUp + 2 * Low) + Gemm.OuterScratch(_widest));
        var low = at + rows * (2 * Model + 2 * Inner + GateUp);
        return new(at, at + rows * Model, at + rows * 2 * Model, at + rows * (2 * Model + Inner), at + rows * (2 * Model + 2 * Inner), low + rows * 2 * Low, low, low + rows * Low, Low);
    }

    private static long Column(int tokens) => (tokens + 15) / 16 * 16;
}

/// <summary>What a layer's forward pass leaves for the backward pass.</summary>
internal readonly unsafe struct HostActivations(float* input, float* middle, float* qkv, float* attended, float* gateUp, float* inputInverse, float* middleInverse, float* logSums)
{
    /// <summary>The residual stream before the block, and (T, d) after attention.</summary>
    public readonly float* Input = input, Middle = middle;

    /// <summary>Rotated queries and keys, and values.</summary>
    public readonly float* Qkv = qkv;

    /// <summary>What the heads read.</summary>
    public readonly float* Attended = attended;

    /// <summary>SwiGLU's inputs.</summary>
    public readonly float* GateUp = gateUp;

    /// <summary>1 / rms of the two states of the residual stream. (T)</summary>
    public readonly float* InputInverse = inputInverse, MiddleInverse = middleInverse;

    /// <summary>The softmax's denominators, row by row. (heads, T of the row)</summary>
    public readonly float* LogSums = logSums;
}

/// <summary>Gradients of the residual stream, of what the heads read, and of queries, keys and values.</summary>
internal readonly unsafe struct HostSlopes(float* model, float* attended, float* qkv)
{
    public readonly float* Model = model, Attended = attended, Qkv = qkv;
}

/// <summary>Room for what some tokens need between two products, and for the products' own packing.</summary>
internal readonly unsafe struct HostTile(float* norm, float* normSlope, float* inner, float* innerSlope, float* gateUpSlope, float* scratch, float* low, float* lowSlope, int lowStride)
{
    public readonly float* Norm = norm, NormSlope = normSlope, Inner = inner, InnerSlope = innerSlope, GateUpSlope = gateUpSlope, Scratch = scratch, Low = low, LowSlope = lowSlope;

    public readonly int LowStride = lowStride;
}
