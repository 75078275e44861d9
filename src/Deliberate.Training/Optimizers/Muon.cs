using static TorchSharp.torch;

namespace Deliberate.Training.Optimizers;

/// <summary>
/// Muon (Jordan et al. 2024): momentum whose matrices are brought close to orthogonal by five Newton-Schulz iterations, so that
/// every direction of a layer learns at the same pace. Matrices of one shape are iterated together. A matrix that is several
/// stacked projections is brought close to orthogonal part by part: together, the part with the larger gradient (the values)
/// would take the whole step and the other (queries and keys) would hardly learn.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class Muon : IDisposable
{
    private readonly Tensor[] _parameters, _momenta;
    private readonly Part[][] _groups;
    private readonly double _momentum;

    // Rows of a matrix that are one projection.
    private sealed record Part(int Matrix, long Row, long Rows);

    /// <summary>Starts with zero momentum.</summary>
    /// <param name="matrices">The matrices.</param>
    /// <param name="parts">For each matrix the rows of the projections that are stacked in it; null: each is one.</param>
    /// <param name="momentum">Share of the momentum that is kept at each step.</param>
    public Muon(IReadOnlyList<Tensor> matrices, IReadOnlyList<IReadOnlyList<long>>? parts = null, double momentum = 0.95)
    {
        ArgumentNullException.ThrowIfNull(matrices);
        _momentum = momentum;
        _parameters = [.. matrices];
        _momenta = [.. matrices.Select(matrix => zeros_like(matrix).DetachFromDisposeScope())];
        _groups = [.. Enumerable.Range(0, _parameters.Length).SelectMany(matrix =>
        {
            var row = 0L;
            return (parts?[matrix] ?? [_parameters[matrix].shape[0]]).Select(rows => new Part(matrix, (row += rows) - rows, rows)).ToArray();
        }).GroupBy(part => (part.Rows, _parameters[part.Matrix].shape[1])).Select(group => group.ToArray())];
    }

    /// <summary>The momenta, in the order of the parameters.</summary>
    public IReadOnlyList<Tensor> State => _momenta;

    /// <summary>One step with the gradients that the matrices hold.</summary>
    /// <param name="learningRate">Size of the step in every direction.</param>
    /// <param name="decay">Decoupled weight decay. Without it matrices grow until attention is all or nothing, and lookup is never learned.</param>
    public void Step(double learningRate, double decay = 0)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var parameter in _parameters) parameter.mul_(1 - learningRate * decay);
        for (var i = 0; i < _parameters.Length; i++) _momenta[i].mul_(_momentum).add_(_parameters[i].grad!, 1 - _momentum);
        foreach (var group in _groups)
        {
            // Nesterov: look ahead along the momentum.
            var ahead = stack([.. group.Select(part => Rows(_parameters[part.Matrix].grad!, part) * (1 - _momentum) + Rows(_momenta[part.Matrix], part) * _momentum)]); // (n, rows, columns)
            var update = Orthogonalise(ahead);
            var scale = Math.Sqrt(Math.Max(1.0, (double)ahead.shape[1] / ahead.shape[2]));
            for (var i = 0; i < group.Length; i++) Rows(_parameters[group[i].Matrix], group[i]).add_(update[i], -learningRate * scale);
        }
    }

    private static Tensor Rows(Tensor matrix, Part part) => matrix.narrow(0, part.Row, part.Rows);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _momenta) tensor.Dispose();
    }

    // The quintic iteration pushes all singular values towards 1; its coefficients are the published ones.
    private static Tensor Orthogonalise(Tensor matrices)
    {
        var tall = matrices.shape[1] > matrices.shape[2];
        var x = tall ? matrices.transpose(1, 2) : matrices;
        x = x / (x.flatten(1).norm(1).view(-1, 1, 1) + 1e-7);
        for (var i = 0; i < 5; i++)
        {
            var a = bmm(x, x.transpose(1, 2));
            x = x * 3.4445 + bmm(a * -4.7750 + bmm(a, a) * 2.0315, x);
        }

        return tall ? x.transpose(1, 2) : x;
    }
}
