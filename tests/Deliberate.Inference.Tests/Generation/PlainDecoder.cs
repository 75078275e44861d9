using Deliberate.Inference.Models;

namespace Deliberate.Inference.Tests.Generation;

/// <summary>The decoder written down as simply as it can be, in double precision: what the engine is compared with.</summary>
internal static class PlainDecoder
{
    /// <summary>Logits after every token. (T) -> (T, vocab)</summary>
    public static double[][] Logits(ModelWeights weights, int[] tokens)
    {
        var c = weights.Config;
        var embedding = weights["model.embed_tokens.weight"];
        var x = tokens.Select(token => embedding.AsSpan(token * c.HiddenSize, c.HiddenSize).ToArray().Select(value => (double)value).ToArray()).ToArray();
        for (var layer = 0; layer < c.Layers; layer++)
        {
            float[] W(string name) => weights[$"model.layers.{layer}.{name}.weight"];
            var normed = x.Select(row => Norm(row, W("input_layernorm"), c.RmsNormEps)).ToArray();
            var q = normed.Select((row, position) => Rotate(Times(W("self_attn.q_proj"), row), position, c)).ToArray();
            var k = normed.Select((row, position) => Rotate(Times(W("self_attn.k_proj"), row), position, c)).ToArray();
            var v = normed.Select(row => Times(W("self_attn.v_proj"), row)).ToArray();
            for (var t = 0; t < x.Length; t++)
            {
                var attended = new double[c.Heads * c.HeadDim];
                for (var head = 0; head < c.Heads; head++)
                {
                    var (from, shared) = (head * c.HeadDim, head / (c.Heads / c.KvHeads) * c.HeadDim);
                    var scores = Enumerable.Range(0, t + 1).Select(s => Enumerable.Range(0, c.HeadDim).Sum(i => q[t][from + i] * k[s][shared + i]) / Math.Sqrt(c.HeadDim)).ToArray();
                    var shares = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
                    for (var i = 0; i < c.HeadDim; i++) attended[from + i] = shares.Select((share, s) => share * v[s][shared + i]).Sum() / shares.Sum();
                }

                x[t] = Plus(x[t], Times(W("self_attn.o_proj"), attended));
                var inner = Norm(x[t], W("post_attention_layernorm"), c.RmsNormEps);
                var (gate, up) = (Times(W("mlp.gate_proj"), inner), Times(W("mlp.up_proj"), inner));
                x[t] = Plus(x[t], Times(W("mlp.down_proj"), [.. gate.Select((value, i) => value / (1 + Math.Exp(-value)) * up[i])]));
            }
        }

        var output = c.TieEmbeddings ? embedding : weights["lm_head.weight"];
        return [.. x.Select(row => Times(output, Norm(row, weights["model.norm.weight"], c.RmsNormEps)))];
    }

    private static double[] Norm(double[] row, float[] weight, double eps)
    {
        var scale = 1 / Math.Sqrt(row.Average(value => value * value) + eps);
        return [.. row.Select((value, i) => value * scale * weight[i])];
    }

    // (outputs, inputs) times (inputs)
    private static double[] Times(float[] matrix, double[] row) =>
        [.. Enumerable.Range(0, matrix.Length / row.Length).Select(column => row.Select((value, input) => value * matrix[column * row.Length + input]).Sum())];

    private static double[] Plus(double[] a, double[] b) => [.. a.Select((value, i) => value + b[i])];

    private static double[] Rotate(double[] row, int position, ModelConfig c)
    {
        var turned = new double[row.Length];
        var half = c.HeadDim / 2;
        for (var i = 0; i < row.Length; i++)
        {
            var (start, d) = (i / c.HeadDim * c.HeadDim, i % c.HeadDim);
            var angle = position * Math.Pow(c.RopeTheta, -2.0 * (d % half) / c.HeadDim);
            turned[i] = row[i] * Math.Cos(angle) + (d < half ? -row[start + d + half] : row[start + d - half]) * Math.Sin(angle);
        }

        return turned;
    }
}
