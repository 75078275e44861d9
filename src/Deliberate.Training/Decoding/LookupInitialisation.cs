using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding;

/// <summary>
/// Starts a decoder with the attention patterns that looking things up is made of (Olsson et al. 2022, "In-context learning and
/// induction heads"): heads of the first layer look one and two tokens back, and heads of the second look for places whose previous
/// token, or previous two, are the current ones, and copy what stands there. One more tells whether a token repeats the one two
/// places back, which is how a judge compares. Training would find these circuits by itself, but only after millions of tokens;
/// like mimetic initialisation (Trockman and Kolter 2023) this starts near them, and training is free to leave them.
/// </summary>
/// <remarks>The last two patterns need a second and third key head and two query heads for each; smaller shapes start without them.</remarks>
public static class LookupInitialisation
{
    // Attention scores of a perfect match stand about this far above chance.
    private const double PreviousSharpness = 9, MatchGain = 2, WriteShare = 0.1, CopyShare = 0.2, EmbeddingDeviation = 0.05;

    // A comparing head looks between one and two tokens back, so that it sees the one before unless the second repeats the current one.
    private const double ComparedOffset = 1.3, ComparedGain = 1.9;

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
        var further = config.KvHeads > 2 && group > 1;
        // (head, d): what the looking heads read of a token, and (copies + 2, head, d): where each writes it.
        var reads = Orthonormal(random, head, d, common);
        var writes = Orthonormal(random, (copies + 2) * head, d, common);
        var shared = Math.Sqrt(d) / Math.Sqrt(2); // size of the shared component after the norm
        var gain = Math.Sqrt(PreviousSharpness * Math.Sqrt(head)) / shared;

        // In the first layer, a query head that looks this far back and writes what it reads into the given block.
        void LookBack(int query, double offset, int block)
        {
            Clear(W(0, "q_proj"), query * head, head, d);
            foreach (var (pair, angle) in fast)
            {
                Set(W(0, "q_proj"), query * head + pair, d, common, gain * Math.Cos(offset * angle));
                Set(W(0, "q_proj"), query * head + pair + head / 2, d, common, -gain * Math.Sin(offset * angle));
            }

            for (var i = 0; i < d; i++)
                for (var j = 0; j < head; j++) W(0, "o_proj")[i * config.Heads * head + query * head + j] = (float)(WriteShare * writes[block * head + j][i]);
        }

        void Positions(int key)
        {
            Clear(W(0, "k_proj"), key * head, head, d);
            foreach (var (pair, _) in fast) Set(W(0, "k_proj"), key * head + pair, d, common, gain);
            for (var j = 0; j < head; j++) Set(W(0, "v_proj"), key * head + j, d, reads[j], 1);
        }

        Positions(0);
        for (var copy = 0; copy < copies; copy++) LookBack(copy, 1, copy);
        if (further)
        {
            Positions(1);
            LookBack(group, 2, copies);
            LookBack(group + 1, ComparedOffset, copies + 1);
            foreach (var row in Rows(slow))
            {
                Set(W(0, "k_proj"), head + row, d, reads[row], ComparedGain);
                Set(W(0, "q_proj"), (group + 1) * head + row, d, reads[row], ComparedGain);
            }
        }

        // In the second layer, heads whose query rows meet key rows: a place matches where what stands there is what is asked for.
        void Match(int key, Func<int, (double[] Query, double[] Key)> rows)
        {
            Clear(W(1, "k_proj"), key * head, head, d);
            foreach (var row in Rows(slow)) Set(W(1, "k_proj"), key * head + row, d, rows(row).Key, MatchGain);
            var identity = Orthonormal(random, head, d, common);
            for (var j = 0; j < head; j++) Set(W(1, "v_proj"), key * head + j, d, identity[j], 1);
            for (var query = key * group; query < (key + 1) * group; query++)
            {
                Clear(W(1, "q_proj"), query * head, head, d);
                foreach (var row in Rows(slow)) Set(W(1, "q_proj"), query * head + row, d, rows(row).Query, MatchGain);
                for (var i = 0; i < d; i++)
                    for (var j = 0; j < head; j++) W(1, "o_proj")[i * config.Heads * head + query * head + j] = (float)(CopyShare * identity[j][i]);
            }
        }

        var keys = further ? 2 : copies;
        for (var key = 0; key < keys; key++) Match(key, row => (reads[row], writes[key * head + row]));
        // Half of the rows compare the current token with the previous one there, half the previous with the one before it.
        if (further) Match(2, row => row % 2 == 0 ? (reads[row], writes[row]) : (writes[row], writes[copies * head + row]));
        return weights;

        IEnumerable<int> Rows(List<(int Pair, double Angle)> pairs) => pairs.SelectMany(entry => (int[])[entry.Pair, entry.Pair + head / 2]);
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
