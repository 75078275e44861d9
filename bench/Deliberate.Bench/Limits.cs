using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;

namespace Deliberate.Bench;

/// <summary>What the machine allows: the peak of multiply-adds and the speed of reading memory, one thread, and how near the kernels come.</summary>
internal static unsafe class Limits
{
    public static void Print(ModelConfig config)
    {
        var peak = Best(() => Peak(200_000), 50);
        var read = Best(() => ReadSpeed(256 << 20), 3);
        var cached = Best(() => ReadSpeed(8 << 20), 5);
        Console.WriteLine("limits of one thread");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  multiply-adds in registers   {peak,8:F1} GFLOP/s"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  reading 256 MB               {read,8:F1} GB/s"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  reading 8 MB again and again {cached,8:F1} GB/s"));
        PrintProducts(config, WeightStorage.Fp32, [1, 2, 3, 4, 8, 32, 64, 128]);
    }

    /// <summary>How near the products of a model's shapes come to the peak of one thread.</summary>
    public static void PrintProducts(ModelConfig config, WeightStorage storage, int[] numbers)
    {
        var peak = Best(() => Peak(200_000), 50);
        int q = config.Heads * config.HeadDim, kv = config.KvHeads * config.HeadDim, d = config.HiddenSize;
        (int Outputs, int Inputs)[] shapes = [(q + 2 * kv, d), (config.FeedForward, d), (d, config.FeedForward), (Math.Min(config.VocabSize, 8192), d)];
        foreach (var rows in numbers)
        {
            var text = shapes.Select(shape =>
            {
                var speed = Best(() => Product(shape.Outputs, shape.Inputs, rows, storage), 40);
                return string.Create(CultureInfo.InvariantCulture, $"{shape.Inputs}->{shape.Outputs} {speed,6:F1} ({speed / peak,4:P0})");
            });
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {rows,3} rows, {storage}, GFLOP/s: {string.Join("  ", text)}"));
        }
    }

    private static double Best(Func<double> measure, int times) => Enumerable.Range(0, times).Max(_ => measure());

    /// <summary>The sum over threads that measure at the same time.</summary>
    public static double Together(int threads, Func<double> measure)
    {
        var results = new double[threads];
        var running = Enumerable.Range(1, threads - 1).Select(i => new Thread(() => results[i] = measure())).ToArray();
        foreach (var thread in running) thread.Start();
        results[0] = measure();
        foreach (var thread in running) thread.Join();
        return results.Sum();
    }

    // Twelve independent chains, none of which touches memory.
    internal static double Peak(int steps)
    {
        var width = Vector512.IsHardwareAccelerated ? 16 : 8;
        var clock = Stopwatch.GetTimestamp();
        var sum = width == 16 ? Chains512(steps) : Chains256(steps);
        var seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
        return sum == 42 ? 0 : 12.0 * width * 2 * steps / seconds / 1e9;
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization | System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static float Chains256(int steps)
    {
        Vector256<float> x = Vector256.Create(0.999f), y = Vector256.Create(0.001f), a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (var s = 0; s < steps; s++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y); b = Vector256.FusedMultiplyAdd(b, x, y); c = Vector256.FusedMultiplyAdd(c, x, y); d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y); f = Vector256.FusedMultiplyAdd(f, x, y); g = Vector256.FusedMultiplyAdd(g, x, y); h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y); j = Vector256.FusedMultiplyAdd(j, x, y); k = Vector256.FusedMultiplyAdd(k, x, y); l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization | System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static float Chains512(int steps)
    {
        Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(0.001f), a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (var s = 0; s < steps; s++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y); b = Vector512.FusedMultiplyAdd(b, x, y); c = Vector512.FusedMultiplyAdd(c, x, y); d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y); f = Vector512.FusedMultiplyAdd(f, x, y); g = Vector512.FusedMultiplyAdd(g, x, y); h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y); j = Vector512.FusedMultiplyAdd(j, x, y); k = Vector512.FusedMultiplyAdd(k, x, y); l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization | System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    internal static double ReadSpeed(int bytes)
    {
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(memory, bytes).Fill(1);
        var passes = Math.Max(1, (256 << 20) / bytes);
        Vector256<float> a = default, b = default, c = default, d = default;
        var clock = Stopwatch.GetTimestamp();
        for (var pass = 0; pass < passes; pass++)
            for (nint i = 0; i < bytes / 4; i += 32)
            {
                a += Vector256.Load(memory + i);
                b += Vector256.Load(memory + i + 8);
                c += Vector256.Load(memory + i + 16);
                d += Vector256.Load(memory + i + 24);
            }

        var seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
        NativeMemory.AlignedFree(memory);
        return Vector256.Sum(a + b + c + d) == 42 ? 0 : (double)passes * bytes / seconds / 1e9;
    }

    private static double Product(int outputs, int inputs, int rows, WeightStorage storage)
    {
        var matrix = new PackedMatrix(outputs, inputs, storage);
        var x = GC.AllocateArray<float>(rows * inputs, pinned: true);
        var y = GC.AllocateArray<float>(rows * matrix.Stride, pinned: true);
        var times = Math.Max(1, 5_000_000 / (outputs * inputs * rows)); // short, so that some sample is not interrupted
        fixed (float* from = x, to = y)
        {
            matrix.Multiply(from, inputs, to, rows, add: false);
            var clock = Stopwatch.GetTimestamp();
            for (var i = 0; i < times; i++) matrix.Multiply(from, inputs, to, rows, add: false);
            return 2.0 * outputs * inputs * rows * times / Stopwatch.GetElapsedTime(clock).TotalSeconds / 1e9;
        }
    }
}
