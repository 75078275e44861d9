namespace Deliberate.Training.Native;

/// <summary>What the processor is quick at.</summary>
internal static class Processor
{
    /// <summary>Whether it multiplies bf16 matrices in hardware; without that bf16 can be slower than fp32.</summary>
    public static bool FastBf16 { get; } = Probe();

    /// <summary>What <c>DELIBERATE_BF16</c> (1 or 0) asks for; null: nothing.</summary>
    public static bool? AskedForBf16 => Environment.GetEnvironmentVariable("DELIBERATE_BF16") is { Length: > 0 } asked ? asked == "1" : null;

    // .NET does not report these two instruction sets; Linux does.
    private static bool Probe()
    {
        if (AskedForBf16 is { } asked) return asked;
        if (!File.Exists("/proc/cpuinfo")) return false;
        var flags = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal)) ?? "";
        return flags.Contains(" avx512_bf16", StringComparison.Ordinal) || flags.Contains(" amx_bf16", StringComparison.Ordinal);
    }
}
