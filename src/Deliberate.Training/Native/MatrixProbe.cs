using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Deliberate.Training.Native;

/// <summary>Which type a device multiplies matrices in more quickly, measured once for each device.</summary>
/// <param name="Fp32">GFLOP/s in fp32.</param>
/// <param name="Bf16Speed">GFLOP/s in bf16.</param>
/// <param name="Bf16">Whether bf16 is worth its rounding: at least a quarter quicker.</param>
public sealed record MatrixProbe(double Fp32, double Bf16Speed, bool Bf16)
{
    private const int Rows = 256, Inputs = 512, Outputs = 1_024, Times = 5;

    private static readonly ConcurrentDictionary<string, MatrixProbe> Known = new(StringComparer.Ordinal);

    /// <summary>The choice for a device.</summary>
    public static MatrixProbe Of(Device device) => Known.GetOrAdd(device.ToString(), _ => Measure(device));

    /// <summary>As <c>fp32 (fp32 52 GFLOP/s, bf16 9)</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(Bf16 ? "bf16" : "fp32")} (fp32 {Fp32:F0} GFLOP/s, bf16 {Bf16Speed:F0})");

    private static MatrixProbe Measure(Device device)
    {
        TorchLibrary.Initialize();
        var fp32 = Speed(device, ScalarType.Float32);
        var bf16 = Speed(device, ScalarType.BFloat16);
        return new(fp32, bf16, bf16 > 1.25 * fp32);
    }

    private static double Speed(Device device, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (x, weight) = (ones([Rows, Inputs], type, device), ones([Outputs, Inputs], type, device));
        var best = double.MaxValue;
        for (var i = 0; i < Times; i++)
        {
            var clock = Stopwatch.GetTimestamp();
            using var y = nn.functional.linear(x, weight);
            if (device.type == DeviceType.CUDA) cuda.synchronize();
            best = Math.Min(best, Stopwatch.GetElapsedTime(clock).TotalSeconds);
        }

        return 2.0 * Rows * Inputs * Outputs / best / 1e9;
    }
}
