using Deliberate.Training.Decoding.Host;
using static TorchSharp.torch;

namespace Deliberate.Training.Decoding;

/// <summary>What goes into a decoder's body.</summary>
/// <param name="Tokens">(B, T)</param>
/// <param name="Lengths">Of packed rows, which B = 1 holds; null for padded ones.</param>
/// <param name="Chosen">Places in the flattened tokens whose hidden states are asked for. (N)</param>
internal sealed record BodyInput(Tensor Tokens, int[]? Lengths, Tensor Chosen);

/// <summary>One way through the body of a decoder and back.</summary>
internal abstract class BodyPass
{
    /// <summary>The hidden states that were asked for. (N, d)</summary>
    public abstract Tensor Hidden { get; }

    /// <summary>Carries the gradient of <see cref="Hidden"/> to the parameters, where the loss's own backward pass ended there.</summary>
    public abstract void Backward();
}

/// <summary>By the body in plain C#.</summary>
internal sealed class HostPass(HostBody host, IReadOnlyList<int[]> rows, IReadOnlyList<(int Row, int Position)> chosen, bool adapted) : BodyPass
{
    private readonly (Tensor Hidden, long Pass) _pass = host.Forward(rows, chosen, adapted);

    public override Tensor Hidden => _pass.Hidden;

    public override void Backward() => host.Backward(_pass.Pass, _pass.Hidden);
}

/// <summary>By libtorch, with one graph from the embedding on.</summary>
internal sealed class GraphPass : BodyPass
{
    private readonly Tensor? _graph;

    /// <summary>Goes forward; as a <paramref name="leaf"/> the result is cut off from the graph.</summary>
    public GraphPass(Decoder decoder, BodyInput input, bool leaf)
    {
        var hidden = decoder.Hidden(input.Tokens, input.Lengths).view(-1, decoder.Config.HiddenSize).index_select(0, input.Chosen);
        if (leaf && is_grad_enabled()) (_graph, hidden) = (hidden, hidden.detach().requires_grad_());
        Hidden = hidden;
    }

    public override Tensor Hidden { get; }

    public override void Backward() => _graph?.backward([Hidden.grad!], false, false, null);
}

/// <summary>By libtorch, keeping only what goes into each block and computing the block again on the way back: one block's memory instead of all.</summary>
internal sealed class CheckpointedPass : BodyPass
{
    private readonly Decoder _decoder;
    private readonly BodyInput _input;
    private readonly DecoderContext _context;
    private readonly Tensor[] _inputs;

    /// <summary>Goes forward without a graph.</summary>
    public CheckpointedPass(Decoder decoder, BodyInput input)
    {
        (_decoder, _input) = (decoder, input);
        _context = decoder.Context((int)input.Tokens.shape[1], input.Lengths);
        _inputs = new Tensor[decoder.Blocks.Count + 1];
        using var _ = no_grad();
        _inputs[0] = decoder.Embed(input.Tokens);
        for (var i = 0; i < decoder.Blocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            _inputs[i + 1] = decoder.Blocks[i].Forward(_inputs[i], _context).MoveToOuterDisposeScope();
        }

        using var last = NewDisposeScope();
        Hidden = Last(_inputs[^1]).MoveToOuterDisposeScope().requires_grad_();
    }

    public override Tensor Hidden { get; }

    public override void Backward()
    {
        // Below the first block that learns anything no gradient is needed.
        var (embeds, first) = (_decoder.TrainsEmbedding, _decoder.FirstTrained);
        var slope = Through(_inputs[^1], Last, Hidden.grad!, true)!;
        for (var i = _decoder.Blocks.Count - 1; i >= first; i--)
        {
            var block = _decoder.Blocks[i];
            var next = Through(_inputs[i], x => block.Forward(x, _context), slope, i > first || embeds);
            slope.Dispose();
            _inputs[i + 1].Dispose();
            if (next is null) return;
            slope = next;
        }

        using var scope = NewDisposeScope();
        if (embeds) _decoder.Embed(_input.Tokens).backward([slope], false, false, null);
    }

    private Tensor Last(Tensor x) => _decoder.Normalise(x).view(-1, _decoder.Config.HiddenSize).index_select(0, _input.Chosen);

    private static Tensor? Through(Tensor input, Func<Tensor, Tensor> part, Tensor slope, bool further)
    {
        using var scope = NewDisposeScope();
        using var leaf = input.detach();
        leaf.requires_grad_(further);
        part(leaf).backward([slope], false, false, null);
        return further ? leaf.grad!.DetachFromDisposeScope() : null;
    }
}
