using TorchSharp;
using static TorchSharp.torch;

namespace Deliberate.Training.Optimizers;

/// <summary>What is done to gradients between the backward pass and the step.</summary>
internal static class Gradients
{
    /// <summary>Zeroes the gradients that exist.</summary>
    public static void Zero(IEnumerable<Tensor> parameters)
    {
        // A scope roots the handles: one that is only a temporary may be finalised while native code still uses it.
        using var scope = NewDisposeScope();
        foreach (var parameter in parameters) parameter.grad?.zero_();
    }

    /// <summary>Scales all gradients together so that their norm is at most <paramref name="limit"/>; returns the norm before.</summary>
    public static double Clip(IReadOnlyList<Tensor> parameters, double limit)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var norm = stack([.. parameters.Where(parameter => parameter.grad is not null).Select(parameter => parameter.grad!.norm())]).norm().ToDouble();
        if (norm <= limit) return norm;
        foreach (var parameter in parameters) parameter.grad?.mul_(limit / norm);
        return norm;
    }
}
