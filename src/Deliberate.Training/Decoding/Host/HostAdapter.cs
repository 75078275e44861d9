using static TorchSharp.torch;

namespace Deliberate.Training.Decoding.Host;

/// <summary>
/// The low-rank adapters of one matrix, whose stacked projections may each have one: A one below the other (R, in), B along a diagonal of
/// blocks and scaled (out, R), so that two products serve all of them.
/// </summary>
internal sealed unsafe class HostAdapter : IDisposable
{
    private readonly (Tensor A, Tensor B, int Row, int Column, float Scale)[] _parts;
    private readonly NativeBuffer _a = new(), _b = new();
    private (nint A, nint B)[] _slopes = [];

    /// <summary>Lays out the adapters of a matrix.</summary>
    /// <param name="adapters">Their leaves (rank, in) and (rows, rank), the first row of each in the matrix, and the scale.</param>
    /// <param name="outputs">Rows of the matrix.</param>
    /// <param name="inputs">Columns of the matrix.</param>
    /// <param name="place">Gives a place for so many floats in a buffer of gradients.</param>
    public HostAdapter(IEnumerable<(Tensor A, Tensor B, long Row, double Scale)> adapters, int outputs, int inputs, Func<long, long> place)
    {
        _parts = [.. adapters.Select(adapter => (adapter.A, adapter.B, (int)adapter.Row, Rank += (int)adapter.A.shape[0], (float)adapter.Scale))];
        for (var i = 0; i < _parts.Length; i++) _parts[i].Column -= (int)_parts[i].A.shape[0];
        A = new(Rank, inputs, place((long)Rank * inputs)) { Data = _a.Reserve((long)Rank * inputs) };
        B = new(outputs, Rank, place((long)outputs * Rank)) { Data = _b.Reserve((long)outputs * Rank) };
    }

    /// <summary>The sum of all ranks.</summary>
    public int Rank { get; private set; }

    /// <summary>Whether it counts: off, the matrix is as it was before.</summary>
    public bool IsOn { get; set; } = true;

    /// <summary>(R, in)</summary>
    public HostMatrix A { get; }

    /// <summary>(out, R)</summary>
    public HostMatrix B { get; }

    /// <summary>Takes the leaves' values and packs them.</summary>
    public void Load(bool backward)
    {
        new Span<float>(B.Data, B.Outputs * Rank).Clear();
        foreach (var part in _parts)
        {
            var (rank, rows) = ((int)part.A.shape[0], (int)part.B.shape[0]);
            new Span<float>(HostBody.Floats(part.A), rank * A.Inputs).CopyTo(new(A.Data + part.Column * A.Inputs, rank * A.Inputs));
            var from = HostBody.Floats(part.B);
            for (var i = 0; i < rows; i++)
                for (var j = 0; j < rank; j++) B.Data[(part.Row + i) * Rank + part.Column + j] = from[i * rank + j] * part.Scale;
        }

        A.Pack(backward);
        B.Pack(backward);
    }

    /// <summary>Adds one thread's sums to the leaves' gradients, which <see cref="Prepare"/> found.</summary>
    public void AddTo(float* gradients)
    {
        for (var p = 0; p < _parts.Length; p++)
        {
            var part = _parts[p];
            var (rank, rows) = ((int)part.A.shape[0], (int)part.B.shape[0]);
            float* a = (float*)_slopes[p].A, b = (float*)_slopes[p].B;
            var from = gradients + A.Gradient + part.Column * A.Inputs;
            for (var i = 0; i < rank * A.Inputs; i++) a[i] += from[i];
            from = gradients + B.Gradient;
            for (var i = 0; i < rows; i++)
                for (var j = 0; j < rank; j++) b[i * rank + j] += from[(part.Row + i) * Rank + part.Column + j] * part.Scale;
        }
    }

    /// <summary>Finds the leaves' gradients, zeros where they have none yet; to be called within a dispose scope.</summary>
    public void Prepare() => _slopes = Array.ConvertAll(_parts, part => ((nint)HostBody.Gradient(part.A), (nint)HostBody.Gradient(part.B)));

    /// <inheritdoc/>
    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        _a.Dispose();
        _b.Dispose();
    }
}
