using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Deliberate.Training.Native;
using Xunit;

namespace Deliberate.Training.Tests;

public class GlibcxxPatchTests
{
    private const string Symbol = "_ZSt21ios_base_library_initv", Version = "GLIBCXX_3.4.32";

    [Fact]
    public void Renames_the_import_and_its_version_and_touches_nothing_else()
    {
        var original = Library();
        var patched = GlibcxxPatch.Patch(original);
        var text = Encoding.ASCII.GetString(patched);
        Assert.Contains("\0_ZSt15get_new_handlerv\0", text, StringComparison.Ordinal);
        Assert.Contains("\0GLIBCXX_3.4.20\0", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Symbol, text, StringComparison.Ordinal);
        Assert.Equal(original.Length, patched.Length);
        Assert.Equal(Hash("GLIBCXX_3.4.20"), BinaryPrimitives.ReadUInt32LittleEndian(patched.AsSpan(patched.Length - 16)));
        Assert.InRange(original.Zip(patched).Count(pair => pair.First != pair.Second), 1, Symbol.Length + 2 + 4);
        Assert.Equal(Library(), original);
    }

    [Theory]
    [InlineData("", Version)]
    [InlineData(Symbol, "GLIBCXX_3.4.33")]
    [InlineData(Symbol + "\0" + Symbol, Version)]
    public void Refuses_another_set_of_imports(string symbol, string version) => Refused(Library(symbol, version));

    [Fact]
    public void Refuses_what_is_no_library()
    {
        Refused([]);
        Refused(Encoding.ASCII.GetBytes("MZ" + new string('x', 100)));
        var library = Library();
        library[4] = 1; // 32-bit
        Refused(library);
    }

    [Fact]
    public void Refuses_every_truncation()
    {
        var library = Library();
        for (var length = 0; length < library.Length; length++) Refused(library[..length]);
    }

    [Fact]
    public void Damage_is_refused_or_harmless() => Gen.Select(Gen.Int[0, Library().Length - 1], Gen.Byte).Array[1, 6].Sample(changes =>
    {
        var library = Library();
        foreach (var (at, value) in changes) library[at] = value;
        try
        {
            Assert.Equal(library.Length, GlibcxxPatch.Patch(library).Length);
        }
        catch (DllNotFoundException error)
        {
            Assert.Contains("cannot be adapted", error.Message, StringComparison.Ordinal);
        }
    });

    [Fact]
    public void The_elf_hash_is_the_published_one() => Assert.Equal(0x09691a75u, Hash("GLIBC_2.2.5"));

    private static void Refused(byte[] library) => Assert.Throws<DllNotFoundException>(() => GlibcxxPatch.Patch(library));

    // A header, a table of two sections, the dynamic strings, and one entry of needed versions at the end.
    private static byte[] Library(string symbol = Symbol, string version = Version)
    {
        var strings = Encoding.ASCII.GetBytes($"\0{symbol}\0other\0{version}\0");
        var start = 64 + 2 * 64;
        var needs = (start + strings.Length + 3) / 4 * 4;
        var bytes = new byte[needs + 16];
        new byte[] { 0x7f, 0x45, 0x4c, 0x46, 2, 1 }.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(0x28), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(0x3A), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(0x3C), 2);
        void Section(int at, uint type, int offset, int length)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 4), type);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at + 8), 2);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at + 0x18), (ulong)offset);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at + 0x20), (ulong)length);
        }

        Section(64, 3, start, strings.Length);
        Section(128, 0x6ffffffe, needs, 16);
        strings.CopyTo(bytes, start);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(needs), Hash(version));
        return bytes;
    }

    private static uint Hash(string name)
    {
        uint hash = 0;
        foreach (var letter in name)
        {
            hash = (hash << 4) + letter;
            hash = (hash ^ ((hash & 0xf0000000) >> 24)) & 0x0fffffff;
        }

        return hash;
    }
}
