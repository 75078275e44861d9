using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding;

/// <summary>
/// Starts a decoder with the two attention patterns that looking things up is made of (Olsson et al. 2022, "In-context learning
/// and induction heads"): heads of the first layer look one token back, and heads of the second look for places whose previous
/// token is the current one and copy what stands there. Training would find this circuit by itself, but only after millions of
/// tokens; like mimetic initialisation (Trockman and Kolter 2023) this starts near it, and training is free to leave it.
/// </summary>
public static class LookupInitialisation
{
    // Attention scores of a perfect match stand about this far above chance.
    private const double PreviousSharpness = 9, MatchGain = 2, WriteShare = 0.1, CopyShare = 0.2, EmbeddingDeviation = 0.05;

    /// <summary>Fresh parameters; the seed decides all of it.</summary>
    /// <exception cref="ArgumentException">The shape has fewer than two layers, or heads too narrow for the patterns.</exception>
    public static ModelWeights Random(ModelConfig config, int seed)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Layers < 2 || config.HeadDim < 16) throw new ArgumentException($"Lookup needs two layers and heads of 16 or more, not {config.Layers} and {config.HeadDim}.", nameof(config));
        var weights = Initialisation.Random(config, seed, EmbeddingDeviation);
        // Nothing but the patterns writes to the residual stream at first: it carries tokens, not noise.
        for (var layer = 0; layer < config.Layers; layer++)
            foreach (var name in (string[])["self_attn.o_proj", "mlp.down_proj"]) Array.Clear(weights[$"model.layers.{layer}.{name}.weight"]);
        var random = new Random(unchecked(seed * 7 + 1));
        int d = config.HiddenSize, head = config.HeadDim, group = config.Heads / config.KvHeads;
        var common = Normal(random, d);
        Scale(common, 1 / Norm(common));
        var embedding = weights["model.embed_tokens.weight"];
        // A component that all tokens share gives position heads something constant to rotate.
        for (var token = 0; token < config.VocabSize; token++)
            for (var i = 0; i < d; i++) embedding[token * d + i] += (float)(EmbeddingDeviation * Math.Sqrt(d) * common[i]);

        float[] W(int layer, string name) => weights[$"model.layers.{layer}.self_attn.{name}.weight"];
        var (slow, fast) = (Frequencies(config, angle => angle < 4e-3), Frequencies(config, angle => angle > 0.05));
        var copies = Math.Min(group, config.KvHeads);
        // (copies, head, d): what a previous-token head reads of a token, and (d, head) columns where it writes it.
        var reads = Orthonormal(random, head, d, common);
        var writes = Orthonormal(random, copies * head, d, common);
        var shared = Math.Sqrt(d) / Math.Sqrt(2); // size of the shared component after the norm
        var gain = Math.Sqrt(PreviousSharpness * Math.Sqrt(head)) / shared;
        for (var copy = 0; copy < copies; copy++)
        {
            Clear(W(0, "q_proj"), copy * head, head, d);
            foreach (var (pair, angle) in fast)
            {
                Set(W(0, "q_proj"), copy * head + pair, d, common, gain * Math.Cos(angle));
                Set(W(0, "q_proj"), copy * head + pair + head / 2, d, common, -gain * Math.Sin(angle));
            }

            for (var i = 0; i < d; i++)
                for (var j = 0; j < head; j++) W(0, "o_proj")[i * config.Heads * head + copy * head + j] = (float)(WriteShare * writes[copy * head + j][i]);
        }

        Clear(W(0, "k_proj"), 0, head, d);
        foreach (var (pair, _) in fast) Set(W(0, "k_proj"), pair, d, common, gain);
        for (var j = 0; j < head; j++) Set(W(0, "v_proj"), j, d, reads[j], 1);

        for (var copy = 0; copy < copies; copy++)
        {
            Clear(W(1, "k_proj"), copy * head, head, d);
            foreach (var (pair, _) in slow)
                foreach (var row in (int[])[pair, pair + head / 2])
                    Set(W(1, "k_proj"), copy * head + row, d, writes[copy * head + row], MatchGain);
            var identity = Orthonormal(random, head, d, common);
            for (var j = 0; j < head; j++) Set(W(1, "v_proj"), copy * head + j, d, identity[j], 1);
            for (var query = copy * group; query < (copy + 1) * group; query++)
            {
                Clear(W(1, "q_proj"), query * head, head, d);
                foreach (var (pair, _) in slow)
                    foreach (var row in (int[])[pair, pair + head / 2])
                        Set(W(1, "q_proj"), query * head + row, d, reads[row], MatchGain);
                for (var i = 0; i < d; i++)
                    for (var j = 0; j < head; j++) W(1, "o_proj")[i * config.Heads * head + query * head + j] = (float)(CopyShare * identity[j][i]);
            }
        }

        return weights;
    }

    // Rotary pairs whose angle a token is in the wanted range.
    private static List<(int Pair, double Angle)> Frequencies(ModelConfig config, Func<double, bool> wanted) =>
    [
        .. Enumerable.Range(0, config.HeadDim / 2).Select(pair => (Pair: pair, Angle: Math.Pow(config.RopeTheta, -2.0 * pair / config.HeadDim))).Where(entry => wanted(entry.Angle)),
    ];

    // Rows orthogonal to each other and to `against` (Gram-Schmidt); as many as fit are, the rest are random directions.
    private static double[][] Orthonormal(Random random, int rows, int d, double[] against)
    {
        var basis = new List<double[]>();
        while (basis.Count < rows)
        {
            var row = Normal(random, d);
            foreach (var other in basis.Take(d - 2).Prepend(against))
            {
                var along = row.Zip(other, (a, b) => a * b).Sum();
                for (var i = 0; i < d; i++) row[i] -= along * other[i];
            }

            Scale(row, 1 / Norm(row));
            basis.Add(row);
        }

        return [.. basis];
    }

    private static double[] Normal(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];

    private static double Norm(double[] row) => Math.Sqrt(row.Sum(value => value * value));

    private static void Scale(double[] row, double by)
    {
        for (var i = 0; i < row.Length; i++) row[i] *= by;
    }

    private static void Clear(float[] matrix, int row, int rows, int d) => Array.Clear(matrix, row * d, rows * d);

    private static void Set(float[] matrix, int row, int d, double[] values, double gain)
    {
        for (var i = 0; i < d; i++) matrix[row * d + i] = (float)(gain * values[i]);
    }
}
