using static TorchSharp.torch;

namespace Deliberate.Training.Optimizers;

/// <summary>
/// Muon (Jordan et al. 2024): momentum whose matrices are brought close to orthogonal by five Newton-Schulz iterations, so that
/// every direction of a layer learns at the same pace. Matrices of one shape are iterated together.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class Muon : IDisposable
{
    private readonly Tensor[] _parameters, _momenta;
    private readonly int[][] _groups;
    private readonly double _momentum;

    /// <summary>Starts with zero momentum.</summary>
    public Muon(IReadOnlyList<Tensor> matrices, double momentum = 0.95)
    {
        _momentum = momentum;
        _parameters = [.. matrices];
        _momenta = [.. matrices.Select(matrix => zeros_like(matrix).DetachFromDisposeScope())];
        _groups = [.. Enumerable.Range(0, _parameters.Length).GroupBy(i => (_parameters[i].shape[0], _parameters[i].shape[1])).Select(group => group.ToArray())];
    }

    /// <summary>The momenta, in the order of the parameters.</summary>
    public IReadOnlyList<Tensor> State => _momenta;

    /// <summary>One step with the gradients that the matrices hold.</summary>
    public void Step(double learningRate)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var group in _groups)
        {
            foreach (var i in group) _momenta[i].mul_(_momentum).add_(_parameters[i].grad!, 1 - _momentum);
            // Nesterov: look ahead along the momentum.
            var ahead = stack([.. group.Select(i => _parameters[i].grad! * (1 - _momentum) + _momenta[i] * _momentum)]); // (n, rows, columns)
            var update = Orthogonalise(ahead);
            var scale = Math.Sqrt(Math.Max(1.0, (double)ahead.shape[1] / ahead.shape[2]));
            for (var i = 0; i < group.Length; i++) _parameters[group[i]].add_(update[i], -learningRate * scale);
        }
    }

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
