using CsCheck;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Decoding.Host;
using Xunit;
using static TorchSharp.torch;

namespace Deliberate.Training.Tests;

public class HostBodyTests
{
    public static TheoryData<ModelConfig> Shapes =>
    [
        Tiny.Config,
        Tiny.Config with { KvHeads = 4 },
        Tiny.Config with { KvHeads = 1, HeadDim = 16, MaxPositions = 600 },
        Tiny.Config with { Heads = 3, KvHeads = 3, HeadDim = 40, HiddenSize = 300, FeedForward = 45, MaxPositions = 600 },
        Tiny.Config with { Heads = 6, KvHeads = 3, HeadDim = 32, HiddenSize = 192, FeedForward = 512, MaxPositions = 600 },
    ];

    [Theory]
    [MemberData(nameof(Shapes), DisableDiscoveryEnumeration = true)]
    public void Hidden_states_and_gradients_agree_with_libtorch(ModelConfig config)
    {
        int[] lengths = config.MaxPositions > 100 ? [5, 2, 3, 4, 210, 17, 97, 433] : [5, 2, 3, 4, 16, 32];
        var rows = Rows(config, lengths);
        var (expected, expectedGradients) = Run(config, DecoderBody.Torch, rows);
        var (actual, actualGradients) = Run(config, DecoderBody.Host, rows);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4f * Math.Max(1, Math.Abs(expected[i])));
        for (var i = 0; i < expectedGradients.Length; i++) Assert.True(Distance(expectedGradients[i], actualGradients[i]) < 1e-4, $"Parameter {i}: {Distance(expectedGradients[i], actualGradients[i])}");
    }

    [Fact]
    public void Equal_calls_give_equal_bits()
    {
        var config = Tiny.Config with { MaxPositions = 600 };
        var rows = Rows(config, [300, 20, 7, 150]);
        var (first, firstGradients) = Run(config, DecoderBody.Host, rows);
        var (second, secondGradients) = Run(config, DecoderBody.Host, rows);
        Assert.Equal(first, second);
        Assert.Equal(firstGradients, secondGradients);
    }

    [Fact]
    public void Gradients_of_several_batches_add_up()
    {
        using var decoder = new Decoder(Tiny.Weights(), bf16: false) { Body = DecoderBody.Host };
        var rows = Tiny.Rows(4);
        WeightedLoss.Backward(decoder, rows, 1);
        var together = Gradients(decoder);
        foreach (var parameter in decoder.Parameters) parameter.grad!.zero_();
        foreach (var row in rows) WeightedLoss.Backward(decoder, [row], 1);
        foreach (var (a, b) in together.Zip(Gradients(decoder))) Assert.True(Distance(a, b) < 1e-5);
    }

    [Fact]
    public void A_pass_goes_backward_once_and_only_if_it_was_the_last()
    {
        using var scope = NewDisposeScope();
        using var decoder = new Decoder(Tiny.Weights(), bf16: false) { Body = DecoderBody.Host };
        var host = decoder.Host!;
        var (hidden, pass) = host.Forward([[1, 2, 3]], [(0, 1)]);
        Assert.Throws<InvalidOperationException>(() => host.Backward(pass - 1, hidden));
        hidden.sum().backward();
        host.Backward(pass, hidden);
        Assert.Throws<InvalidOperationException>(() => host.Backward(pass, hidden));
    }

    [Fact]
    public void Without_gradients_nothing_is_kept_and_the_states_are_the_same()
    {
        using var scope = NewDisposeScope();
        using var decoder = new Decoder(Tiny.Weights(), bf16: false) { Body = DecoderBody.Host };
        var host = decoder.Host!;
        var (kept, _) = host.Forward([[1, 2, 3, 4]], [(0, 3), (0, 1)]);
        using var _ = no_grad();
        var (free, pass) = host.Forward([[1, 2, 3, 4]], [(0, 3), (0, 1)]);
        Assert.Equal(kept.detach().data<float>().ToArray(), free.data<float>().ToArray());
        Assert.Equal(0, pass);
    }

    [Fact]
    public void Bf16_is_libtorchs() => Assert.Throws<NotSupportedException>(() => new Decoder(Tiny.Weights(), bf16: true) { Body = DecoderBody.Host });

    [Fact]
    public unsafe void Products_agree_with_the_definition() =>
        (from m in Gen.Int[1, 220] from n in Gen.Int[1, 70] from k in Gen.Int[1, 600] from seed in Gen.Int from add in Gen.Bool select (m, n, k, seed, add)).Sample(
            at =>
            {
                var (m, n, k, seed, add) = at;
                var random = new Random(seed);
                using var buffer = new NativeBuffer();
                float* Fill(int count, float* target)
                {
                    for (var i = 0; i < count; i++) target[i] = random.NextSingle() - 0.5f;
                    return target;
                }

                var data = buffer.Reserve(2L * m * k + k * n + 2 * m * n + k * m + Gemm.PackedSize(k, n) + Gemm.OuterScratch(n) + 256);
                var a = Fill(m * k, data); // (m, k)
                var across = a + m * k; // (k, m)
                var b = Fill(k * n, across + k * m);
                var c = Fill(m * n, b + k * n + 16);
                var outer = c + m * n;
                var packed = outer + m * n;
                for (var i = 0; i < m; i++)
                    for (var l = 0; l < k; l++) across[l * m + i] = a[i * k + l];
                var expected = new double[m * n];
                for (var i = 0; i < m; i++)
                    for (var j = 0; j < n; j++)
                    {
                        outer[i * n + j] = c[i * n + j];
                        expected[i * n + j] = add ? c[i * n + j] : 0;
                        for (var l = 0; l < k; l++) expected[i * n + j] += (double)a[i * k + l] * b[l * n + j];
                        if (!add) outer[i * n + j] = 0;
                    }

                Gemm.Pack(k, n, b, n, 1, packed);
                Gemm.Multiply(m, n, k, a, k, packed, c, n, add);
                Gemm.AddOuter(m, n, k, across, m, b, n, outer, n, packed + Gemm.PackedSize(k, n));
                for (var i = 0; i < m * n; i++)
                    if (Math.Abs(c[i] - expected[i]) > 1e-4 || Math.Abs(outer[i] - expected[i]) > 1e-4) return false;
                return true;
            },
            iter: 60);

    [Fact]
    public void The_exponential_is_exact_to_seven_digits()
    {
        for (var x = -86f; x < 87; x += 0.0137f)
            Assert.Equal(1, VectorMath.Exp(System.Runtime.Intrinsics.Vector256.Create(x))[0] / Math.Exp(x), 3e-7);
    }

    // Hidden states where a token is predicted, and all gradients, of a loss that weighs every state differently.
    private static (float[] Hidden, float[][] Gradients) Run(ModelConfig config, DecoderBody body, int[][] rows)
    {
        using var scope = NewDisposeScope();
        using var decoder = new Decoder(Weights(config), bf16: false) { Body = body };
        var batch = new SequenceBatch(rows, (row, t) => t % 3 != 2 || row == 1);
        var logits = batch.Logits(decoder);
        var losses = nn.functional.cross_entropy(logits, batch.Targets(decoder), reduction: nn.Reduction.None);
        batch.Backward((losses * linspace(0.5, 1.5, losses.shape[0])).sum());
        return (logits.detach().data<float>().ToArray(), Gradients(decoder));
    }

    private static float[][] Gradients(Decoder decoder) => [.. decoder.Parameters.Select(parameter =>
    {
        using var gradient = parameter.grad!.contiguous();
        return gradient.data<float>().ToArray();
    })];

    private static double Distance(float[] expected, float[] actual) =>
        Math.Sqrt(expected.Zip(actual, (a, b) => Math.Pow(a - b, 2)).Sum()) / Math.Sqrt(expected.Sum(a => (double)a * a));

    private static ModelWeights Weights(ModelConfig config)
    {
        var weights = Initialisation.Random(config, 3);
        var random = new Random(4);
        // Norms that differ from channel to channel, and matrices large enough to matter.
        foreach (var (name, shape) in config.Tensors())
            for (var i = 0; i < weights[name].Length; i++) weights[name][i] = shape.Length > 1 ? weights[name][i] * 4 : 0.5f + random.NextSingle();
        return weights;
    }

    private static int[][] Rows(ModelConfig config, int[] lengths)
    {
        var random = new Random(5);
        return [.. lengths.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(config.VocabSize)).ToArray())];
    }
}
