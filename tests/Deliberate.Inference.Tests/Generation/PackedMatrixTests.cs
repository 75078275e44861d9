using CsCheck;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

public class PackedMatrixTests
{
    private static readonly Gen<(int Rows, int Outputs, int Inputs, int Seed, bool Add, bool Bf16)> Cases =
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 150], Gen.Int[1, 70], Gen.Int, Gen.Bool, Gen.Bool);

    [Fact]
    public void Products_are_those_of_the_definition() =>
        Cases.Sample(test =>
        {
            var (weights, x, y) = Draw(test);
            var actual = Multiply(test, weights, x, y, wide: null);
            for (var row = 0; row < test.Rows; row++)
                for (var output = 0; output < test.Outputs; output++)
                {
                    double expected = test.Add ? y[row * Stride(test.Outputs) + output] : 0;
                    for (var input = 0; input < test.Inputs; input++) expected += (double)weights[output * test.Inputs + input] * x[row * test.Inputs + input];
                    Assert.Equal(expected, actual[row * Stride(test.Outputs) + output], 1e-4);
                }
        }, iter: 200);

    [Fact]
    public void Kernels_of_both_widths_give_the_same_bits() =>
        Cases.Sample(test =>
        {
            var (weights, x, y) = Draw(test);
            Assert.Equal(Multiply(test, weights, x, y, wide: true), Multiply(test, weights, x, y, wide: false));
        }, iter: 100);

    [Fact]
    public void A_row_does_not_depend_on_the_others() =>
        Cases.Sample(test =>
        {
            var (weights, x, y) = Draw(test);
            var all = Multiply(test, weights, x, y, wide: null);
            var stride = Stride(test.Outputs);
            for (var row = 0; row < test.Rows; row++)
                Assert.Equal(all[(row * stride)..((row + 1) * stride)],
                    Multiply(test with { Rows = 1 }, weights, x[(row * test.Inputs)..((row + 1) * test.Inputs)], y[(row * stride)..((row + 1) * stride)], wide: null));
        }, iter: 100);

    [Fact]
    public void Weights_loaded_later_replace_the_first_ones()
    {
        var test = (Rows: 1, Outputs: 40, Inputs: 20, Seed: 3, Add: false, Bf16: true);
        var (rounded, x, y) = Draw(test);
        var (exact, _, _) = Draw(test with { Bf16 = false });
        var matrix = new PackedMatrix(40, 20);
        foreach (var weights in (float[][])[rounded, exact, rounded])
        {
            matrix.Load(weights);
            Assert.Equal(Multiply(test, weights, x, y, wide: null), Run(matrix, test, x, y));
        }
    }

    [Fact]
    public void Parts_lie_under_each_other()
    {
        var test = (Rows: 5, Outputs: 50, Inputs: 12, Seed: 4, Add: false, Bf16: false);
        var (weights, x, y) = Draw(test);
        var matrix = new PackedMatrix(50, 12);
        matrix.Load(weights[..(20 * 12)], weights[(20 * 12)..(21 * 12)], weights[(21 * 12)..]);
        Assert.Equal(Multiply(test, weights, x, y, wide: null), Run(matrix, test, x, y));
    }

    private static int Stride(int outputs) => (outputs + 31) / 32 * 32;

    private static (float[] Weights, float[] X, float[] Y) Draw((int Rows, int Outputs, int Inputs, int Seed, bool Add, bool Bf16) test)
    {
        var random = new Random(test.Seed);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(2 * random.NextDouble() - 1))];
        var weights = Values(test.Outputs * test.Inputs);
        if (test.Bf16) weights = Array.ConvertAll(weights, value => BFloat16.ToSingle(BFloat16.FromSingle(value)));
        return (weights, Values(test.Rows * test.Inputs), Values(test.Rows * Stride(test.Outputs)));
    }

    private static float[] Multiply((int Rows, int Outputs, int Inputs, int Seed, bool Add, bool Bf16) test, float[] weights, float[] x, float[] y, bool? wide)
    {
        var matrix = new PackedMatrix(test.Outputs, test.Inputs, wide: wide);
        matrix.Load(weights);
        return Run(matrix, test, x, y);
    }

    private static unsafe float[] Run(PackedMatrix matrix, (int Rows, int Outputs, int Inputs, int Seed, bool Add, bool Bf16) test, float[] x, float[] y)
    {
        var result = (float[])y.Clone();
        fixed (float* from = x, to = result) matrix.Multiply(from, test.Inputs, to, test.Rows, test.Add);
        return result;
    }
}
