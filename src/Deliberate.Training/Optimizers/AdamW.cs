using Deliberate.Training.Native;
using static TorchSharp.torch;

namespace Deliberate.Training.Optimizers;

/// <summary>AdamW (Loshchilov and Hutter) over a flat list of parameters, one fused native call a step.</summary>
/// <remarks>Not thread-safe. Its state can be saved and restored exactly, which TorchSharp's own optimiser cannot.</remarks>
public sealed class AdamW : IDisposable
{
    private readonly Tensor[] _parameters, _means, _squares, _steps;
    private readonly double _beta1, _beta2, _eps;
    private readonly (int[] Parameters, double Decay)[] _groups;

    /// <summary>Starts with zero moments.</summary>
    /// <param name="parameters">What it moves.</param>
    /// <param name="beta1">Decay of the mean gradient.</param>
    /// <param name="beta2">Decay of the mean square.</param>
    /// <param name="decay">Decoupled weight decay.</param>
    /// <param name="eps">Added to the denominator.</param>
    /// <param name="decayVectors">Whether parameters of one dimension (norms, biases) decay too.</param>
    public AdamW(IReadOnlyList<Tensor> parameters, double beta1 = 0.9, double beta2 = 0.95, double decay = 0, double eps = 1e-8, bool decayVectors = true)
    {
        (_beta1, _beta2, _eps) = (beta1, beta2, eps);
        _groups = [.. Enumerable.Range(0, parameters.Count).GroupBy(i => decayVectors || parameters[i].dim() > 1 ? decay : 0).Select(group => (group.ToArray(), group.Key))];
        _parameters = [.. parameters];
        _means = [.. parameters.Select(parameter => zeros_like(parameter).DetachFromDisposeScope())];
        _squares = [.. parameters.Select(parameter => zeros_like(parameter).DetachFromDisposeScope())];
        _steps = [.. parameters.Select(_ => zeros(1, device: parameters[0].device).squeeze().DetachFromDisposeScope())];
    }

    /// <summary>The state in a fixed order: means, squares, step counts.</summary>
    public IReadOnlyList<Tensor> State => [.. _means, .. _squares, .. _steps];

    /// <summary>One step with the gradients that the parameters hold.</summary>
    public void Step(double learningRate)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (group, decay) in _groups)
        {
            Tensor[] Of(Tensor[] all) => Array.ConvertAll(group, i => all[i]);
            var parameters = Of(_parameters);
            NativeOps.AdamW(parameters, Array.ConvertAll(parameters, parameter => parameter.grad!), Of(_means), Of(_squares), Of(_steps), learningRate, _beta1, _beta2, decay, _eps);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in State) tensor.Dispose();
    }
}
