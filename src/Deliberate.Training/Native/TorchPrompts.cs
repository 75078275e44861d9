using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using static TorchSharp.torch;

namespace Deliberate.Training.Native;

/// <summary>
/// Multiplies the tokens of prompts by libtorch in bf16, for <see cref="GeneratorOptions.Prompts"/>: on processors with AMX or AVX512-BF16 that is quicker than
/// fp32 can be, and .NET has no instructions for it. Inputs and results are rounded to bf16; sums are fp32.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed class TorchPrompts : IPromptMatrices
{
    // The rounding is not worth a few per cent. Whoever asks for bf16 gets it.
    private const double Gain = 1.05;

    private TorchPrompts()
    {
    }

    /// <summary>An offer where the processor says that it multiplies bf16 in hardware; else null. <c>DELIBERATE_BF16</c> (1 or 0) decides otherwise. Loads libtorch only where there is one.</summary>
    /// <exception cref="DllNotFoundException">libtorch is missing or cannot be loaded; the message says why.</exception>
    public static IPromptMatrices? Offer()
    {
        if (!Processor.FastBf16) return null;
        TorchLibrary.Initialize();
        return new TorchPrompts();
    }

    /// <inheritdoc/>
    public string Name => "bf16 by libtorch";

    /// <inheritdoc/>
    public double LeastGain => Processor.AskedForBf16 == true ? 0 : Gain;

    /// <inheritdoc/>
    public IPromptMatrix Create(int outputs, int inputs) => Matrix(outputs, inputs);

    internal static IPromptMatrix Matrix(int outputs, int inputs)
    {
        TorchLibrary.Initialize();
        return new RoundedMatrix(outputs, inputs);
    }

    private sealed class RoundedMatrix : IPromptMatrix
    {
        private readonly int _inputs;
        private readonly Tensor _weight; // (outputs, inputs), bf16

        public RoundedMatrix(int outputs, int inputs)
        {
            _inputs = inputs;
            _weight = zeros([outputs, inputs], ScalarType.BFloat16).DetachFromDisposeScope();
        }

        public void Load(MatrixRow read)
        {
            var row = new float[_inputs];
            var values = Values(_weight);
            for (var output = 0; output < values.Length / _inputs; output++)
            {
                read(output, row);
                Round(row, values.Slice(output * _inputs, _inputs));
            }
        }

        public void Multiply(ReadOnlySpan<float> x, int xStride, Span<float> y, int yStride, int rows, int first, int count, bool add)
        {
            // The threads of the engine share the work out.
            using var own = OwnThread.Enter();
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            // A single row would be multiplied by other means, which sum in another order.
            var input = rows == 1 ? zeros([2, _inputs], ScalarType.BFloat16) : empty([rows, _inputs], ScalarType.BFloat16);
            var rounded = Values(input);
            for (var r = 0; r < rows; r++) Round(x.Slice(r * xStride, _inputs), rounded.Slice(r * _inputs, _inputs));
            var output = nn.functional.linear(input, _weight.narrow(0, first, count));
            var result = Values(output);
            for (var r = 0; r < rows; r++) Widen(result.Slice(r * count, count), y.Slice(r * yStride, count), add);
        }

        public void Dispose() => _weight.Dispose();

        // Native memory: it stays where it is as long as the tensor lives.
        private static Span<ushort> Values(Tensor tensor) => MemoryMarshal.Cast<byte, ushort>(tensor.bytes);

        // To the nearest, ties to even.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Round(ReadOnlySpan<float> values, Span<ushort> rounded)
        {
            ref var from = ref Unsafe.As<float, uint>(ref MemoryMarshal.GetReference(values));
            ref var to = ref MemoryMarshal.GetReference(rounded);
            var i = 0;
            for (; i + 16 <= values.Length; i += 16)
                Vector256.Narrow(Upper(Vector256.LoadUnsafe(ref from, (nuint)i)), Upper(Vector256.LoadUnsafe(ref from, (nuint)i + 8))).StoreUnsafe(ref to, (nuint)i);
            for (; i < values.Length; i++) rounded[i] = BFloat16.FromSingle(values[i]);

            static Vector256<uint> Upper(Vector256<uint> bits) => (bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256<uint>.One)) >> 16;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Widen(ReadOnlySpan<ushort> values, Span<float> wide, bool add)
        {
            ref var from = ref MemoryMarshal.GetReference(values);
            ref var to = ref MemoryMarshal.GetReference(wide);
            var i = 0;
            for (; i + 16 <= values.Length; i += 16)
            {
                var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
                var (a, b) = ((low << 16).AsSingle(), (high << 16).AsSingle());
                if (add) (a, b) = (a + Vector256.LoadUnsafe(ref to, (nuint)i), b + Vector256.LoadUnsafe(ref to, (nuint)i + 8));
                a.StoreUnsafe(ref to, (nuint)i);
                b.StoreUnsafe(ref to, (nuint)i + 8);
            }

            for (; i < values.Length; i++) wide[i] = (add ? wide[i] : 0) + BFloat16.ToSingle(values[i]);
        }
    }
}
