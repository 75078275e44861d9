using System.Globalization;
using static TorchSharp.torch;

namespace Deliberate.Training.Native;

/// <summary>Where training computes, by its name in a configuration.</summary>
public static class TrainingDevice
{
    /// <summary>The device of this name: <c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</summary>
    /// <exception cref="ArgumentException">There is no such name.</exception>
    /// <exception cref="NotSupportedException">libtorch was built without CUDA, or the machine has no such GPU.</exception>
    public static Device Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        TorchLibrary.Initialize();
        if (name == "cpu") return CPU;
        var index = 0;
        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out index)))
            throw new ArgumentException($"Device '{name}' is not known; use cpu, cuda or cuda:1.", nameof(name));
        if (!cuda.is_available())
            throw new NotSupportedException($"Device '{name}' is not there: this build carries libtorch for the processor, or the machine has no NVIDIA driver. Build with -p:DeliberateTorch=cuda (see docs/training.md), or use cpu.");
        return index < cuda.device_count() ? new Device(TorchSharp.DeviceType.CUDA, index) : throw new NotSupportedException($"Device '{name}' is not there: the machine has {cuda.device_count()} GPUs, counted from 0.");
    }
}
