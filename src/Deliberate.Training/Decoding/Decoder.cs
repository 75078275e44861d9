using Deliberate.Inference.Models;
using Deliberate.Training.Decoding.Host;
using Deliberate.Training.Lora;
using Deliberate.Training.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>
/// A decoder with gradients, of any family that <see cref="ModelConfig"/> describes: fp32 master parameters, computed in bf16 where
/// that is the quicker (every matrix is cast to the activations' type in the forward pass) or in fp32 throughout. With an adapter its
/// own weights are frozen and may be kept in bf16.
/// </summary>
/// <remarks>Not thread-safe. Query, key and value projections are one matrix here, and so are gate and up.</remarks>
public sealed class Decoder : IDisposable
{
    // Bytes of activations beyond which a pass is computed again on its way back.
    private const double MostKept = 4e9;

    // Below, bf16 loses more between the products than it gains in them: on AVX512-BF16 plain C# in fp32 was 1.5 times as quick at a width of 256, bf16 1.3 times at 576.
    private const int LeastBf16Width = 512;

    private readonly Parameter _embedding; // (vocab, d)
    private readonly Parameter _finalNorm; // (d)
    private readonly Parameter? _head; // (vocab, d)
    private readonly DecoderBlock[] _blocks;
    private readonly RotaryTable _rotary;
    private readonly RotaryTable? _localRotary;
    private readonly AttentionMasks _masks = new();
    private readonly LoraOptions? _lora;
    private readonly ScalarType _compute;
    private readonly bool? _checkpointing;
    private readonly bool _fitsHost;
    private HostBody? _host;

    /// <summary>Builds the decoder with a copy of these weights, every parameter of it trained, on the processor.</summary>
    /// <param name="weights">Starting parameters.</param>
    /// <param name="bf16">Whether to compute in bf16; null takes the quicker (<see cref="Choice"/>).</param>
    public Decoder(ModelWeights weights, bool? bf16 = null) : this(weights, new DecoderOptions { Bf16 = bf16 })
    {
    }

    /// <summary>Builds the decoder with a copy of these weights.</summary>
    /// <param name="weights">Starting parameters; those of a stored model are read tensor by tensor and not kept.</param>
    /// <param name="options">How to hold and compute them.</param>
    /// <exception cref="InvalidDataException">The adapter does not fit the model.</exception>
    /// <exception cref="NotSupportedException">The device is not there.</exception>
    public Decoder(ModelWeights weights, DecoderOptions options)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(options);
        TorchLibrary.Initialize();
        Config = weights.Config;
        Device = TrainingDevice.Parse(options.Device);
        _fitsHost = DecoderBodies.IsPlain(Config) && Device.type == TorchSharp.DeviceType.CPU;
        IsPlain = _fitsHost && options.Adapter is null;
        _checkpointing = options.GradientCheckpointing;
        _compute = Choice(Config, options.Adapter is not null, options.Device, options.Bf16).Bf16 ? ScalarType.BFloat16 : ScalarType.Float32;
        _lora = options.Adapter?.Options;
        if (options.Adapter is { } fits) LoraTargets.Check(fits, Config, "The adapter");
        var loader = new ParameterLoader(weights, _lora is { Fp32Base: false } ? ScalarType.BFloat16 : ScalarType.Float32, Device, trained: _lora is null);
        _embedding = loader.Load("model.embed_tokens.weight");
        _finalNorm = loader.Load("model.norm.weight");
        _head = loader.LoadIfAny("lm_head.weight");
        _blocks = [.. Enumerable.Range(0, Config.Layers).Select(layer => new DecoderBlock(Config, layer, loader))];
        if (options.Adapter is { } adapter)
            foreach (var projection in Projections) projection.Attach(adapter, Device);
        _rotary = new(Config.RopeTheta, Config.HeadDim, Config.RopeScaling, _compute, Device);
        if (Config.LocalRopeTheta is { } local) _localRotary = new(local, Config.HeadDim, RopeScaling.None, _compute, Device);
        _fitsHost &= _compute == ScalarType.Float32;
        // Frozen matrices are packed in fp32 twice there; large models do without.
        Body = DecoderBodies.Default(_fitsHost && (_lora is null || 8.0 * Projections.Sum(projection => projection.Weight.Tensor.numel()) < MostKept));
    }

    /// <summary>
    /// Whether a model is computed in bf16, and why, as "bf16 (fp32 115 GFLOP/s, bf16 547)": what is asked for, here or by <c>DELIBERATE_BF16</c> (1 or 0); else what the
    /// processor claims for all weights of plain Llama on it, but fp32 for a narrow one; else what <see cref="Native.MatrixProbe"/> measures, once for a device.
    /// </summary>
    /// <param name="config">The model.</param>
    /// <param name="adapted">Whether adapters are trained.</param>
    /// <param name="device">Where: see <see cref="DecoderOptions.Device"/>.</param>
    /// <param name="bf16">What is asked for; null leaves it open.</param>
    /// <exception cref="NotSupportedException">The device is not there.</exception>
    public static (bool Bf16, string Told) Choice(ModelConfig config, bool adapted, string device, bool? bf16 = null)
    {
        if ((bf16 ?? Processor.AskedForBf16) is { } asked) return (asked, asked ? "bf16 (asked for)" : "fp32 (asked for)");
        var place = TrainingDevice.Parse(device);
        // A plain model has a body in plain C#, which libtorch's fp32 says nothing about.
        if (DecoderBodies.IsPlain(config) && place.type == TorchSharp.DeviceType.CPU)
        {
            if (Processor.FastBf16 && config.HiddenSize < LeastBf16Width) return (false, "fp32 (quicker than bf16 in a model this narrow)");
            if (!adapted) return (Processor.FastBf16, Processor.FastBf16 ? "bf16 (the processor multiplies it in hardware)" : "fp32 (the processor does not multiply bf16 in hardware)");
        }

        var probe = MatrixProbe.Of(place);
        return (probe.Bf16, probe.ToString());
    }

    /// <summary>The shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>Where it computes.</summary>
    public Device Device { get; }

    /// <summary>
    /// What computes the hidden states that training asks for; plain C# where it is the faster one. <c>DELIBERATE_TRAINING</c>
    /// (torch or host) decides otherwise.
    /// </summary>
    /// <exception cref="NotSupportedException">Set to the host's body for a decoder that it cannot compute: in bf16, on a GPU, or of another family than plain Llama.</exception>
    public DecoderBody Body
    {
        get;
        init => field = value == DecoderBody.Host && !_fitsHost
            ? throw new NotSupportedException("The host's body computes plain Llama with tied embeddings in fp32 alone, on the processor; build the decoder with bf16: false, or use libtorch's.") : value;
    }

    /// <summary>Whether to use libtorch's own attention for rows of every length: slower for short ones, kept to compare against.</summary>
    internal bool PlainAttention { get; init; }

    /// <summary>Whether adapters count: off, the decoder is its own base model.</summary>
    internal bool Adapted { get; set; } = true;

    /// <summary>The block matrices, which Muon trains; none where they are frozen.</summary>
    public IReadOnlyList<Tensor> Matrices => _lora is not null ? [] : [.. Projections.Select(projection => projection.Weight.Tensor)];

    /// <summary>For each of <see cref="Matrices"/> the rows of the projections that are stacked in it.</summary>
    public IReadOnlyList<IReadOnlyList<long>> MatrixParts
    {
        get
        {
            long d = Config.HiddenSize, q = Config.Heads * Config.HeadDim, kv = Config.KvHeads * Config.HeadDim, ff = Config.FeedForward;
            return _lora is not null ? [] : [.. _blocks.SelectMany(_ => new IReadOnlyList<long>[] { [q, kv, kv], [d], [ff, ff], [d] })];
        }
    }

    /// <summary>The embedding, an output projection of its own, norms and biases; or A and B of every adapter. AdamW trains them.</summary>
    public IReadOnlyList<Tensor> Others => _lora is not null ? [.. Projections.SelectMany(projection => projection.Adapters)]
        : [_embedding.Tensor, _finalNorm.Tensor, .. (_head is null ? (Tensor[])[] : [_head.Tensor]), .. _blocks.SelectMany(block => block.Vectors).Select(vector => vector.Tensor)];

    /// <summary>All parameters that are trained.</summary>
    public IReadOnlyList<Tensor> Parameters => [.. Others, .. Matrices];

    /// <summary>What it computes in, for the eye.</summary>
    public string Computation => $"{(_compute == ScalarType.BFloat16 ? "bf16" : "fp32")} on {Device.type.ToString().ToLowerInvariant()}, {(Body == DecoderBody.Host ? "plain C#" : "libtorch")}";

    /// <summary>The body in plain C#; null where libtorch computes it.</summary>
    internal HostBody? Host => Body == DecoderBody.Torch ? null : _host ??= new HostBody(Config, _embedding.Tensor,
        [.. _blocks.SelectMany(block => (Tensor[])[block.PreAttention!.Tensor, block.Qkv.Weight.Tensor, block.Output.Weight.Tensor, block.PreFeedForward!.Tensor, block.GateUp.Weight.Tensor, block.Down.Weight.Tensor]), _finalNorm.Tensor], _rotary,
        _lora is null ? null : [.. Projections.Select(projection => projection.Places)]);

    internal IReadOnlyList<DecoderBlock> Blocks => _blocks;

    internal ScalarType ComputeType => _compute;

    /// <summary>The matrix that logits are a product with. (vocab, d)</summary>
    internal Tensor OutputMatrix => (_head ?? _embedding).Tensor;

    internal bool TrainsEmbedding => _lora is null;

    /// <summary>The first block that has something to learn.</summary>
    internal int FirstTrained => _lora is null ? 0 : Array.FindIndex(_blocks, block => block.Projections.Any(projection => projection.Adapters.Any()));

    /// <summary>Whether every parameter of a plain Llama is trained on the processor.</summary>
    internal bool IsPlain { get; }

    private IEnumerable<Projection> Projections => _blocks.SelectMany(block => block.Projections);

    private IEnumerable<Parameter> Stored => [_embedding, _finalNorm, .. (_head is null ? (Parameter[])[] : [_head]), .. _blocks.SelectMany(block => block.Vectors), .. Projections.Select(projection => projection.Weight)];

    /// <summary>The residual stream after the final norm, by libtorch. (B, T) token ids -> (B, T, d)</summary>
    public Tensor Hidden(Tensor tokens) => Hidden(tokens, null);

    /// <summary>The same; with <paramref name="lengths"/> the one row holds several, packed.</summary>
    internal Tensor Hidden(Tensor tokens, int[]? lengths)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var context = Context((int)tokens.shape[1], lengths);
        var x = Embed(tokens);
        foreach (var block in _blocks)
        {
            // What autograd does not need of a block is let go at its end.
            using var scope = NewDisposeScope();
            x = block.Forward(x, context).MoveToOuterDisposeScope();
        }

        return Normalise(x);
    }

    /// <summary>Logits of chosen hidden states, fp32. (N, d) -> (N, vocab)</summary>
    public Tensor Logits(Tensor hidden)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        var logits = F.linear(hidden.dtype == _compute ? hidden : hidden.to(_compute), Cast(OutputMatrix)).to(ScalarType.Float32);
        return Config.LogitSoftcap is { } cap ? (logits / cap).tanh() * cap : logits;
    }

    /// <summary>A copy of the parameters under Hugging Face's names, with the adapters merged in.</summary>
    /// <param name="reuse">An earlier copy, which nobody reads any more: it is overwritten and returned, so that a copy a step is no garbage. Null makes a new one.</param>
    /// <exception cref="ArgumentException">The earlier copy is of another shape.</exception>
    public ModelWeights ToWeights(ModelWeights? reuse = null)
    {
        if (reuse is not null && reuse.Config != Config) throw new ArgumentException("The weights to overwrite are of another shape than the model's.", nameof(reuse));
        var weights = reuse ?? new ModelWeights(Config);
        foreach (var parameter in Stored) parameter.CopyTo(name => weights[name]);
        if (_lora is not null)
            foreach (var (module, matrices) in ToAdapter().Modules) LoraAdapter.Add(matrices, weights[module + ".weight"]);
        return weights;
    }

    /// <summary>A copy of the adapters.</summary>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public LoraAdapter ToAdapter()
    {
        if (_lora is null) throw new InvalidOperationException("The decoder has no adapters.");
        var modules = new SortedDictionary<string, LoraMatrices>(StringComparer.Ordinal);
        foreach (var (module, a, b) in Projections.SelectMany(projection => projection.Modules))
        {
            int rank = (int)a.shape[0], inputs = (int)a.shape[1], outputs = (int)b.shape[0];
            var matrices = new LoraMatrices(rank, inputs, outputs, LoraTargets.ScaleOf(_lora, module, rank), new float[rank * inputs], new float[outputs * rank]);
            new Parameter(a, [("a", rank)]).CopyTo(_ => matrices.A);
            new Parameter(b, [("b", outputs)]).CopyTo(_ => matrices.B);
            modules[module] = matrices;
        }

        return new(_lora, modules);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _host?.Dispose();
        foreach (var parameter in Stored) parameter.Tensor.Dispose();
        foreach (var tensor in Projections.SelectMany(projection => projection.Adapters)) tensor.Dispose();
        _rotary.Dispose();
        _localRotary?.Dispose();
        _masks.Dispose();
    }

    /// <summary>Gradients by Hugging Face's names; for tests of parity.</summary>
    internal IReadOnlyDictionary<string, float[]> Gradients()
    {
        var gradients = Config.Tensors().ToDictionary(tensor => tensor.Name, tensor => new float[tensor.Shape.Aggregate(1, (product, size) => product * size)], StringComparer.Ordinal);
        foreach (var parameter in Stored.Where(parameter => parameter.Tensor.grad is not null)) parameter.CopyTo(name => gradients[name], parameter.Tensor.grad);
        return gradients;
    }

    /// <summary>What a pass over padded rows of this length, or over packed rows of these lengths, shares.</summary>
    internal DecoderContext Context(int length, int[]? packed)
    {
        var longest = packed?.Max() ?? length;
        if (longest > Config.MaxPositions) throw new ArgumentException($"A row of {longest} tokens is longer than the model's {Config.MaxPositions} positions.", nameof(length));
        return new(Config, (_rotary, _localRotary), _masks, length, packed, Adapted, _compute, PlainAttention);
    }

    /// <summary>(B, T) -> (B, T, d)</summary>
    internal Tensor Embed(Tensor tokens)
    {
        var flat = tokens.flatten();
        var x = (_lora is null ? Cast(_embedding.Tensor).index_select(0, flat) : Cast(_embedding.Tensor.index_select(0, flat))).view(tokens.shape[0], tokens.shape[1], Config.HiddenSize);
        return Config.EmbeddingScale == 1 ? x : x * Config.EmbeddingScale;
    }

    /// <summary>The final norm. (..., d)</summary>
    internal Tensor Normalise(Tensor x) =>
        NativeOps.RmsNorm(x, Cast(Config.NormOffset == 0 ? _finalNorm.Tensor : _finalNorm.Tensor + Config.NormOffset), Config.RmsNormEps);

    /// <summary>Whether a pass of so many tokens, in rows of at most this length, is computed block by block again on its way back.</summary>
    internal bool Checkpoints(long tokens, long longest)
    {
        if (_checkpointing is { } asked) return asked;
        // About what autograd keeps of a block for each token; attention's probabilities grow with the row.
        var kept = 4.0 * Config.HiddenSize + 2.0 * (Config.Heads + 2 * Config.KvHeads) * Config.HeadDim + 4.5 * Config.FeedForward + 0.75 * Config.Heads * longest;
        var bytes = tokens * Config.Layers * kept * (_compute == ScalarType.BFloat16 ? 2 : 4);
        return !IsPlain && bytes > Math.Min(MostKept, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4.0);
    }

    private Tensor Cast(Tensor parameter) => parameter.dtype == _compute ? parameter : parameter.to(_compute);
}
