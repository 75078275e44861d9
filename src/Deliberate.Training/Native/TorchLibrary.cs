using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace Deliberate.Training.Native;

/// <summary>
/// Prepares libtorch before its first use: makes it load on systems whose C++ library is older than the package expects
/// (Debian 12, Ubuntu 22.04), keeps OpenMP's threads from spinning, and sets the number of threads.
/// </summary>
/// <remarks>Thread-safe and idempotent. Every entry point of this assembly calls it.</remarks>
public static partial class TorchLibrary
{
    private static readonly Lock Gate = new();
    private static bool _ready;

    /// <summary>Loads libtorch once. <c>DELIBERATE_THREADS</c> overrides the number of threads.</summary>
    /// <exception cref="DllNotFoundException">libtorch is missing or cannot be loaded; the message says why.</exception>
    public static void Initialize()
    {
        lock (Gate)
        {
            if (_ready) return;
            if (OperatingSystem.IsLinux())
            {
                // Spinning at barriers stalls small operators when anything else wants a core. .NET's own
                // SetEnvironmentVariable does not reach native code.
                _ = SetEnv("OMP_WAIT_POLICY", "passive", 0);
                // Activations are the same sizes every step: keep their pages instead of returning and faulting them again.
                // (A threshold above 32 MiB is refused by glibc, so large blocks are kept from mmap altogether.)
                _ = MallOpt(TrimThreshold, int.MaxValue);
                _ = MallOpt(MmapMax, 0);
                _ = MallOpt(TopPad, 64 << 20);
                AssemblyLoadContext.Default.ResolvingUnmanagedDll += ResolveOldSystem;
            }

            torch.set_num_threads(int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_THREADS"), out var threads) ? threads : Environment.ProcessorCount);
            _ready = true;
        }
    }

    /// <summary>Gives free memory back to the system; what is taken next has its pages to pay for again.</summary>
    internal static void Trim()
    {
        if (OperatingSystem.IsLinux()) _ = MallocTrim(0);
    }

    // Raised only after the normal load failed, so systems where it works are untouched.
    private static nint ResolveOldSystem(Assembly assembly, string name)
    {
        if (name != "LibTorchSharp") return 0;
        var folder = AppContext.BaseDirectory;
        var original = Path.Combine(folder, "libLibTorchSharp.so");
        if (!File.Exists(original)) return 0;
        // The copy looks for its neighbours beside itself, so they are loaded from here first.
        foreach (var dependency in (string[])["libc10.so", "libtorch_cpu.so", "libtorch.so"])
            NativeLibrary.Load(Path.Combine(folder, dependency));
        return NativeLibrary.Load(GlibcxxPatch.PatchedCopy(original));
    }

    private const int TrimThreshold = -1, TopPad = -2, MmapMax = -4;

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nint pad);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
