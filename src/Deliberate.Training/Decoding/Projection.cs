using Deliberate.Training.Lora;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>One or several linear layers over the same input as one product, with low-rank adapters on some of them.</summary>
internal sealed class Projection(Parameter weight, Parameter? bias)
{
    private readonly List<Adapter> _adapters = [];

    // Rows [Row, Row + B's rows) of the result belong to the adapter's module.
    private sealed record Adapter(string Module, long Row, Tensor A, Tensor B, double Scale);

    /// <summary>(out, in)</summary>
    public Parameter Weight => weight;

    /// <summary>(out)</summary>
    public Parameter? Bias => bias;

    /// <summary>Of each adapter in turn A and B, which are trained.</summary>
    public IEnumerable<Tensor> Adapters => _adapters.SelectMany(adapter => (Tensor[])[adapter.A, adapter.B]);

    /// <summary>Of each adapter the module's name and its tensors.</summary>
    public IEnumerable<(string Module, Tensor A, Tensor B)> Modules => _adapters.Select(adapter => (adapter.Module, adapter.A, adapter.B));

    /// <summary>Of each adapter its tensors, its first row in the result and its scale.</summary>
    public IReadOnlyList<(Tensor A, Tensor B, long Row, double Scale)> Places => [.. _adapters.Select(adapter => (adapter.A, adapter.B, adapter.Row, adapter.Scale))];

    /// <summary>Adds the adapters whose modules are here.</summary>
    public void Attach(LoraAdapter adapter, Device device)
    {
        var row = 0L;
        foreach (var (name, rows) in weight.Parts)
        {
            var module = name[..^".weight".Length];
            if (adapter.Modules.TryGetValue(module, out var matrices))
            {
                Tensor Leaf(float[] values, long[] shape) => tensor(values, shape).to(device).DetachFromDisposeScope().requires_grad_();
                _adapters.Add(new(module, row, Leaf(matrices.A, [matrices.Rank, matrices.Inputs]), Leaf(matrices.B, [matrices.Outputs, matrices.Rank]), matrices.Scale));
            }

            row += rows;
        }
    }

    /// <summary>(..., in) -> (..., out)</summary>
    public Tensor Forward(Tensor x, bool adapted)
    {
        var y = F.linear(x, Cast(weight.Tensor, x.dtype), bias is null ? null : Cast(bias.Tensor, x.dtype));
        if (!adapted || _adapters.Count == 0) return y;
        // Two products for all adapters: A one below the other, B along a diagonal of blocks.
        var inner = F.linear(x, Cast(_adapters.Count == 1 ? _adapters[0].A : cat([.. _adapters.Select(adapter => adapter.A)], 0), x.dtype));
        return y + F.linear(inner, Cast(Diagonal(weight.Tensor.shape[0]), x.dtype));
    }

    // (out, sum of ranks)
    private Tensor Diagonal(long outputs)
    {
        if (_adapters is [{ Row: 0 } only] && only.B.shape[0] == outputs) return only.B * only.Scale;
        var blocks = new List<Tensor>();
        var (column, columns) = (0L, _adapters.Sum(adapter => adapter.B.shape[1]));
        foreach (var adapter in _adapters)
        {
            var (rows, rank) = (adapter.B.shape[0], adapter.B.shape[1]);
            blocks.Add(F.pad(adapter.B * adapter.Scale, [column, columns - column - rank, adapter.Row, outputs - adapter.Row - rows]));
            column += rank;
        }

        return blocks.Aggregate((sum, block) => sum + block);
    }

    private static Tensor Cast(Tensor tensor, ScalarType type) => tensor.dtype == type ? tensor : tensor.to(type);
}
