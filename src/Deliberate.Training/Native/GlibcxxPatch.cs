using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Deliberate.Training.Native;

/// <summary>
/// Makes a copy of TorchSharp's native library that loads where libstdc++ is older than GCC 13's. One import alone needs the
/// newer version: <c>std::ios_base_library_init()</c>, which takes nothing and only forces the start-up of streams. The copy
/// imports <c>std::get_new_handler()</c> in its place, which takes nothing and has no effect. The original is not touched.
/// </summary>
public static class GlibcxxPatch
{
    private const string NewSymbol = "_ZSt21ios_base_library_initv", OldSymbol = "_ZSt15get_new_handlerv";
    private const string NewVersion = "GLIBCXX_3.4.32", OldVersion = "GLIBCXX_3.4.20";
    private const uint DynamicStrings = 3, VersionNeeds = 0x6ffffffe;

    /// <summary>The path of the patched copy, made in the user's cache on first use.</summary>
    /// <exception cref="DllNotFoundException">The library is not the one that this patch knows.</exception>
    public static string PatchedCopy(string original)
    {
        ArgumentNullException.ThrowIfNull(original);
        var bytes = File.ReadAllBytes(original);
        var cache = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);
        var folder = Path.Combine(cache.Length > 0 ? cache : Path.GetTempPath(), "deliberate", "native");
        var path = Path.Combine(folder, $"libLibTorchSharp-{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}.so");
        var patched = Patch(bytes);
        // A cached copy is used only if it is byte for byte what this patch makes.
        if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(patched)) return path;
        Directory.CreateDirectory(folder);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllBytes(temporary, patched);
        File.Move(temporary, path, overwrite: true);
        return path;
    }

    /// <summary>The patched bytes of a 64-bit little-endian ELF library.</summary>
    /// <exception cref="DllNotFoundException">It is no such library, or does not hold exactly the one expected import.</exception>
    public static byte[] Patch(ReadOnlySpan<byte> library)
    {
        if (library.Length < 64 || !library[..6].SequenceEqual((ReadOnlySpan<byte>)[0x7f, 0x45, 0x4c, 0x46, 2, 1])) throw Unexpected("it is no 64-bit little-endian ELF file");
        var bytes = library.ToArray();
        var (strings, needs) = (Section(bytes, DynamicStrings, ".dynstr"), Section(bytes, VersionNeeds, ".gnu.version_r"));
        Rename(bytes, strings, NewSymbol, OldSymbol);
        Rename(bytes, strings, NewVersion, OldVersion);
        Rehash(bytes, needs);
        return bytes;
    }

    private static void Rename(byte[] bytes, Range section, string from, string to)
    {
        var pattern = Encoding.ASCII.GetBytes("\0" + from + "\0");
        var span = bytes.AsSpan(section);
        var at = span.IndexOf(pattern);
        if (at < 0 || span[(at + 1)..].IndexOf(pattern) >= 0) throw Unexpected($"it does not name {from} exactly once");
        var target = span.Slice(at + 1, from.Length);
        target.Clear();
        Encoding.ASCII.GetBytes(to, target);
    }

    private static void Rehash(byte[] bytes, Range section)
    {
        Span<byte> from = stackalloc byte[4], to = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(from, ElfHash(NewVersion));
        BinaryPrimitives.WriteUInt32LittleEndian(to, ElfHash(OldVersion));
        var span = bytes.AsSpan(section);
        var at = span.IndexOf(from);
        if (at < 0 || at % 4 != 0 || span[(at + 4)..].IndexOf(from) >= 0) throw Unexpected($"it does not need version {NewVersion} exactly once");
        to.CopyTo(span[at..]);
    }

    private static Range Section(byte[] bytes, uint type, string name)
    {
        var table = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(0x28));
        var size = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(0x3A));
        var count = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(0x3C));
        if (size < 0x40 || table > (ulong)bytes.Length || (ulong)(size * count) > (ulong)bytes.Length - table) throw Unexpected("its section table lies outside the file");
        for (var i = 0; i < count; i++)
        {
            var header = bytes.AsSpan((int)table + i * size, size);
            // The dynamic string table is the one that is loaded (flag SHF_ALLOC = 2).
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) != type || (BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) & 2) == 0) continue;
            var offset = BinaryPrimitives.ReadUInt64LittleEndian(header[0x18..]);
            var length = BinaryPrimitives.ReadUInt64LittleEndian(header[0x20..]);
            if (offset > (ulong)bytes.Length || length > (ulong)bytes.Length - offset) throw Unexpected($"its section {name} lies outside the file");
            return (int)offset..(int)(offset + length);
        }

        throw Unexpected($"it has no section {name}");
    }

    private static uint ElfHash(string name)
    {
        uint hash = 0;
        foreach (var letter in name)
        {
            hash = (hash << 4) + letter;
            var high = hash & 0xf0000000;
            if (high != 0) hash ^= high >> 24;
            hash &= ~high;
        }

        return hash;
    }

    private static DllNotFoundException Unexpected(string why) =>
        new($"libLibTorchSharp.so does not load here (libstdc++ older than GCC 13) and cannot be adapted: {why}. Use a system with libstdc++ 13 or newer.");
}
