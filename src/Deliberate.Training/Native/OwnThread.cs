using System.Runtime.InteropServices;
using TorchSharp;

namespace Deliberate.Training.Native;

/// <summary>
/// Keeps libtorch's operators to the calling thread, for callers that share the work out themselves. The number of OpenMP's threads is each thread's own; what
/// libtorch offers instead rebuilds a pool of threads at every change, which takes longer than a small product.
/// </summary>
internal static unsafe class OwnThread
{
    private static readonly (nint Get, nint Set) OpenMp = Find();

    /// <summary>Until it is disposed, operators of this thread have no helpers.</summary>
    public readonly ref struct Scope
    {
        private readonly int _before;

        internal Scope(int before) => _before = before;

        /// <summary>Puts back what was.</summary>
        public void Dispose()
        {
            if (_before != 1) Set(_before);
        }
    }

    public static Scope Enter()
    {
        var before = OpenMp.Get != 0 ? ((delegate* unmanaged[Cdecl]<int>)OpenMp.Get)() : torch.get_num_threads();
        if (before != 1) Set(1);
        return new(before);
    }

    private static void Set(int threads)
    {
        if (OpenMp.Set != 0) ((delegate* unmanaged[Cdecl]<int, void>)OpenMp.Set)(threads);
        else torch.set_num_threads(threads);
    }

    // The library that libtorch brings, which is loaded by now; its name holds a hash.
    private static (nint, nint) Find()
    {
        if (!OperatingSystem.IsLinux()) return default;
        foreach (var path in (string[])[.. Directory.GetFiles(AppContext.BaseDirectory, "libgomp*"), "libgomp.so.1"])
            if (NativeLibrary.TryLoad(path, out var library) && NativeLibrary.TryGetExport(library, "omp_get_max_threads", out var get) && NativeLibrary.TryGetExport(library, "omp_set_num_threads", out var set))
                return (get, set);
        return default;
    }
}
