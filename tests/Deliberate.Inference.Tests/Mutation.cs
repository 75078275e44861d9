using System.Text;
using CsCheck;

namespace Deliberate.Inference.Tests;

/// <summary>Damaged copies of a good file: bytes cut, doubled, replaced, and values swapped for those that parsers trip over.</summary>
internal static class Mutation
{
    private static readonly byte[][] Tokens = [.. new[] { "null", "-1", "1e999", "9223372036854775807", "18446744073709551616", "\"\"", "[]", "{}", "true", "0", "1.5", "\\ud800", "\"a\":1,", "[[[[[[[[[[", "\0", "\xff", "\"../x\"", "\\n", "\xff\xff\xff\xff\xff\xff\xff\x7f" }.Select(Encoding.Latin1.GetBytes)];

    /// <summary>Files with one to four edits, for property tests.</summary>
    public static Gen<byte[]> Of(byte[] good) => Gen.Int.Select(seed => Of(good, new Random(seed)));

    /// <summary>How many of them: so many, or as many as <c>DELIBERATE_FUZZ</c> says.</summary>
    public static int Count(int usual) => int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_FUZZ"), System.Globalization.CultureInfo.InvariantCulture, out var more) ? more : usual;

    /// <summary>One to four edits of <paramref name="good"/>.</summary>
    public static byte[] Of(byte[] good, Random random)
    {
        var bytes = good.ToList();
        for (var edits = random.Next(1, 5); edits > 0 && bytes.Count > 0; edits--)
        {
            var place = random.Next(bytes.Count);
            var token = Tokens[random.Next(Tokens.Length)];
            switch (random.Next(6))
            {
                case 0: bytes.RemoveRange(place, Math.Min(random.Next(40), bytes.Count - place)); break;
                case 1: bytes.InsertRange(place, bytes.GetRange(place, Math.Min(random.Next(60), bytes.Count - place))); break;
                case 2: bytes.InsertRange(place, token); break;
                case 3:
                    var end = place;
                    while (end < bytes.Count && end - place < 30 && bytes[end] is not ((byte)',' or (byte)'}' or (byte)']')) end++;
                    bytes.RemoveRange(place, end - place);
                    bytes.InsertRange(place, token);
                    break;
                case 4: bytes[place] = (byte)"0123456789[]{}\",:-"[random.Next(18)]; break;
                default: bytes[place] = (byte)random.Next(256); break;
            }
        }

        return [.. bytes];
    }
}
