using Deliberate.Training.Decoding;
using TorchSharp;

namespace Deliberate.Training.Optimizers;

/// <summary>Which rule moves the parameters.</summary>
public enum OptimizerKind
{
    /// <summary>AdamW for every parameter: in runs of some dozen steps the lower loss, at about half the time a step.</summary>
    AdamW,

    /// <summary>Muon for the block matrices, AdamW for the embedding and the norms.</summary>
    Muon,
}

/// <summary>The optimisers of one decoder as one: clip, step, and a state that a checkpoint can hold.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class DecoderOptimizer : IDisposable
{
    private readonly Decoder _decoder;
    private readonly AdamW _adam;
    private readonly Muon? _muon;
    private readonly double _clipNorm;

    public DecoderOptimizer(Decoder decoder, OptimizerKind kind, double weightDecay, double clipNorm, double beta1 = 0.9, double beta2 = 0.95, double epsilon = 1e-8, bool decayVectors = true)
    {
        (_decoder, _clipNorm) = (decoder, clipNorm);
        if (kind == OptimizerKind.Muon && decoder.Matrices.Count == 0) throw new NotSupportedException("Muon moves whole matrices, which adapters leave frozen; train adapters with AdamW.");
        _adam = new AdamW(kind == OptimizerKind.AdamW ? decoder.Parameters : decoder.Others, beta1, beta2, weightDecay, epsilon, decayVectors);
        if (kind == OptimizerKind.Muon) _muon = new Muon(decoder.Matrices, decoder.MatrixParts);
    }

    /// <summary>The moments of AdamW, in a fixed order.</summary>
    public IReadOnlyList<torch.Tensor> AdamState => _adam.State;

    /// <summary>The momenta of Muon; empty without it.</summary>
    public IReadOnlyList<torch.Tensor> MuonState => _muon?.State ?? [];

    /// <summary>Clips the gradients, moves the parameters and clears the gradients; returns the norm before clipping.</summary>
    /// <exception cref="InvalidOperationException">The gradient is not finite; the parameters are left as they were.</exception>
    public double Step(double adamRate, double muonRate)
    {
        var norm = Gradients.Clip(_decoder.Parameters, _clipNorm);
        if (!double.IsFinite(norm)) throw new InvalidOperationException("The gradient is not finite: training diverged. Lower the learning rate or start from an earlier model.");
        _adam.Step(adamRate);
        _muon?.Step(muonRate);
        Gradients.Zero(_decoder.Parameters);
        return norm;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _adam.Dispose();
        _muon?.Dispose();
    }
}
