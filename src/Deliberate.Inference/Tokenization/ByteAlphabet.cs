namespace Deliberate.Inference.Tokenization;

/// <summary>
/// The byte alphabet of byte-level BPE: each byte as one printable character, so that a vocabulary of strings can hold any
/// bytes. Printable Latin-1 bytes stand for themselves; the others follow from U+0100 on, as in GPT-2's vocabulary.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Chars = new char[256];
    private static readonly Dictionary<char, byte> Bytes = [];

    static ByteAlphabet()
    {
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            Chars[value] = printable ? (char)value : (char)next++;
            Bytes[Chars[value]] = (byte)value;
        }
    }

    public static char ToChar(byte value) => Chars[value];

    public static bool TryToByte(char letter, out byte value) => Bytes.TryGetValue(letter, out value);

    /// <summary>The text's UTF-8 bytes, each as its character.</summary>
    public static string Encode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[System.Text.Encoding.UTF8.GetMaxByteCount(text.Length)];
        var count = System.Text.Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = Chars[source[i]];
        });
    }
}
