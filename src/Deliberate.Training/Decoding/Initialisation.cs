using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding;

/// <summary>Fresh parameters.</summary>
public static class Initialisation
{
    /// <summary>
    /// Normal with the given deviation, ones for norms; the projections that write to the residual stream are scaled by
    /// 1/sqrt(2 layers), so that its size does not grow with depth (GPT-2). The seed decides all of it.
    /// </summary>
    public static ModelWeights Random(ModelConfig config, int seed, double deviation = 0.02)
    {
        ArgumentNullException.ThrowIfNull(config);
        var random = new Random(seed);
        var weights = new ModelWeights(config);
        foreach (var (name, shape) in config.Tensors())
        {
            var values = weights[name];
            if (shape.Length == 1)
            {
                Array.Fill(values, 1f);
                continue;
            }

            var writes = name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            var scale = writes ? deviation / Math.Sqrt(2.0 * config.Layers) : deviation;
            for (var i = 0; i < values.Length; i++)
                values[i] = (float)(scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return weights;
    }
}
