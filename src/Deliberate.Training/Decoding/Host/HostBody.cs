using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Deliberate.Inference.Models;
using static TorchSharp.torch;

namespace Deliberate.Training.Decoding.Host;

/// <summary>
/// The decoder from the embedding to the final norm without libtorch: fp32 on the processor, rows without padding, forward and
/// backward. Parameters and gradients stay libtorch's tensors, whose memory it reads and adds to.
/// </summary>
/// <remarks>
/// Every thread has whole rows and sums of its own, added in a fixed order: equal calls give equal bits as long as the number of
/// threads is the same. Memory is kept from call to call. Not thread-safe.
/// </remarks>
internal sealed unsafe class HostBody : IDisposable
{
    private readonly HostWeights _weights;
    private readonly Tensor _embedding;
    private readonly (Tensor Tensor, HostVector Place)[] _parameters;
    private readonly RotaryTable _rotary;
    private readonly HostTeam _team;
    private readonly HostPart[] _parts;
    private long _pass, _pending;

    /// <summary>Prepares for these parameters, which stay the caller's.</summary>
    /// <param name="config">The shape of the model.</param>
    /// <param name="embedding">(vocab, d)</param>
    /// <param name="parameters">Of each block the input norm, the matrix of queries, keys and values, the output matrix, the norm after attention, gate and up, down; at last the final norm.</param>
    /// <param name="rotary">Rotary table; the caller's too.</param>
    /// <param name="adapters">Of each matrix in turn its adapters, where those are trained and all else is frozen; null trains everything.</param>
    public HostBody(ModelConfig config, Tensor embedding, IEnumerable<Tensor> parameters, RotaryTable rotary, IReadOnlyList<IReadOnlyList<(Tensor A, Tensor B, long Row, double Scale)>>? adapters = null)
    {
        _weights = new(config, adapters);
        _embedding = embedding;
        _rotary = rotary;
        _parameters = [.. parameters.Zip([.. _weights.Blocks.SelectMany(block => (HostVector[])[block.InputNorm, block.Qkv, block.Output, block.PostNorm, block.GateUp, block.Down]), _weights.FinalNorm])];
        _team = new(get_num_threads());
        if (_weights.IsFrozen) PackOnce();
        _parts = [.. Enumerable.Range(0, _team.Count).Select(_ => new HostPart(_weights, rotary))];
    }

    /// <summary>Whether the processor has the instructions that make this quick; it is right without them too.</summary>
    public static bool Fast => Vector256.IsHardwareAccelerated;

    /// <summary>
    /// Hidden states of chosen tokens, as a leaf of libtorch's graph: once it has a gradient, <see cref="Backward"/> carries it on.
    /// Tokens behind a row's last chosen one are not computed. -> (N, d)
    /// </summary>
    /// <param name="rows">The sequences.</param>
    /// <param name="chosen">Which states are asked for.</param>
    /// <param name="adapted">Whether adapters count.</param>
    /// <returns>The states and the number of this pass. Under <c>no_grad</c> nothing is kept for a backward pass.</returns>
    public (Tensor Hidden, long Pass) Forward(IReadOnlyList<int[]> rows, IReadOnlyList<(int Row, int Position)> chosen, bool adapted = true)
    {
        foreach (var adapter in _weights.Adapters) adapter.IsOn = adapted;
        Distribute(rows, chosen);
        var keep = is_grad_enabled();
        var hidden = empty([chosen.Count, _weights.Config.HiddenSize], ScalarType.Float32);
        var target = Floats(hidden);
        if (_embedding.dtype == ScalarType.BFloat16) _weights.EmbeddingRounded = (ushort*)Floats(_embedding);
        else _weights.Embedding = Floats(_embedding);
        foreach (var (tensor, place) in _parameters) place.Data = Floats(tensor);
        _team.Run(i => _weights.Pack(i, _team.Count, keep));
        _team.Run(i => _parts[i].Forward(target, keep));
        _pending = keep ? ++_pass : 0;
        return (keep ? hidden.requires_grad_() : hidden, _pending);
    }

    /// <summary>Adds the gradients of all parameters to those that the tensors hold.</summary>
    /// <param name="pass">Of the forward pass, which must have been the last.</param>
    /// <param name="hidden">Its result, which has a gradient by now.</param>
    /// <exception cref="InvalidOperationException">Another pass came between, or there is no gradient.</exception>
    public void Backward(long pass, Tensor hidden)
    {
        if (pass == 0 || pass != _pending) throw new InvalidOperationException("The activations of this pass are gone: go backward once, before the next forward pass, and not under no_grad.");
        _pending = 0;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var slope = hidden.grad?.contiguous() ?? throw new InvalidOperationException("The hidden states have no gradient yet.");
        var source = Floats(slope);
        if (_weights.IsFrozen)
        {
            HostAdapter[] adapters = [.. _weights.Adapters];
            foreach (var adapter in adapters) adapter.Prepare();
            _team.Run(i => _parts[i].Backward(source));
            _team.Run(i =>
            {
                for (var a = i; a < adapters.Length; a += _team.Count)
                    foreach (var part in _parts) adapters[a].AddTo(part.Gradients);
            });
            return;
        }

        var gradients = new nint[_parameters.Length];
        for (var i = 0; i < gradients.Length; i++) gradients[i] = (nint)Gradient(_parameters[i].Tensor);
        var embedding = Gradient(_embedding);
        _team.Run(i => _parts[i].Backward(source));
        _team.Run(i =>
        {
            for (var p = 0; p < gradients.Length; p++) Sum(_parameters[p], (float*)gradients[p], i);
            var d = (long)_weights.Config.HiddenSize;
            foreach (var part in _parts) part.AddEmbeddingSlope(embedding, (int)(d * i / _team.Count), (int)(d * (i + 1) / _team.Count));
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        foreach (var part in _parts) part.Dispose();
        _weights.Dispose();
    }

    // Frozen matrices never change.
    private void PackOnce()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (tensor, place) in _parameters)
        {
            if (place is not HostMatrix matrix) continue;
            using var part = NewDisposeScope();
            matrix.Data = Floats(tensor.dtype == ScalarType.Float32 ? tensor : tensor.to(ScalarType.Float32));
            matrix.Pack(backward: true);
        }
    }

    // Long rows first, each to the thread that has least to do.
    private void Distribute(IReadOnlyList<int[]> rows, IReadOnlyList<(int Row, int Position)> chosen)
    {
        foreach (var part in _parts) part.Clear();
        var lengths = new int[rows.Count];
        foreach (var (row, position) in chosen) lengths[row] = Math.Max(lengths[row], position + 1);
        _rotary.Reserve(lengths.Max());
        var order = Enumerable.Range(0, rows.Count).Where(row => lengths[row] > 0).OrderByDescending(row => lengths[row]);
        var (costs, places) = (new double[_parts.Length], new (int Part, int Start)[rows.Count]);
        // Products with the matrices cost the same for every token, attention more the longer the row.
        var (linear, quadratic) = (_weights.IsFrozen ? 4.0 * _weights.FrozenSize : 6.0 * _weights.GradientLength, 12.0 * _weights.Config.Layers * _weights.Config.Heads * _weights.Config.HeadDim);
        foreach (var row in order)
        {
            var lightest = Array.IndexOf(costs, costs.Min());
            costs[lightest] += lengths[row] * (linear + quadratic * lengths[row]);
            places[row] = (lightest, _parts[lightest].Add(rows[row].AsSpan(0, lengths[row])));
        }

        for (var i = 0; i < chosen.Count; i++)
        {
            var (part, start) = places[chosen[i].Row];
            _parts[part].Ask(start + chosen[i].Position, i);
        }
    }

    // One thread's share of a parameter: the parts' sums, in their order.
    private void Sum((Tensor Tensor, HostVector Place) parameter, float* gradient, int thread)
    {
        var length = parameter.Tensor.numel();
        var (from, to) = (length * thread / _team.Count, length * (thread + 1) / _team.Count);
        foreach (var part in _parts) VectorMath.Add(part.Gradients + parameter.Place.Gradient + from, gradient + from, to - from);
    }

    internal static float* Gradient(Tensor parameter)
    {
        if (parameter.grad is null) parameter.grad = zeros_like(parameter).DetachFromDisposeScope();
        return Floats(parameter.grad!);
    }

    // Native memory: it stays where it is as long as the tensor lives.
    internal static float* Floats(Tensor tensor) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));
}
