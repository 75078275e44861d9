using Deliberate.Training.Native;
using static TorchSharp.torch;

namespace Deliberate.Training.Optimizers;

/// <summary>AdamW (Loshchilov and Hutter) over a flat list of parameters, one fused native call a step.</summary>
/// <remarks>Not thread-safe. Its state can be saved and restored exactly, which TorchSharp's own optimiser cannot.</remarks>
public sealed class AdamW : IDisposable
{
    private readonly Tensor[] _parameters, _means, _squares, _steps;
    private readonly double _beta1, _beta2, _decay, _eps;

    /// <summary>Starts with zero moments.</summary>
    public AdamW(IReadOnlyList<Tensor> parameters, double beta1 = 0.9, double beta2 = 0.95, double decay = 0, double eps = 1e-8)
    {
        (_beta1, _beta2, _decay, _eps) = (beta1, beta2, decay, eps);
        _parameters = [.. parameters];
        _means = [.. parameters.Select(parameter => zeros_like(parameter).DetachFromDisposeScope())];
        _squares = [.. parameters.Select(parameter => zeros_like(parameter).DetachFromDisposeScope())];
        _steps = [.. parameters.Select(_ => zeros(1).squeeze().DetachFromDisposeScope())];
    }

    /// <summary>The state in a fixed order: means, squares, step counts.</summary>
    public IReadOnlyList<Tensor> State => [.. _means, .. _squares, .. _steps];

    /// <summary>One step with the gradients that the parameters hold.</summary>
    public void Step(double learningRate)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        NativeOps.AdamW(_parameters, [.. _parameters.Select(parameter => parameter.grad!)], _means, _squares, _steps, learningRate, _beta1, _beta2, _decay, _eps);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in State) tensor.Dispose();
    }
}
