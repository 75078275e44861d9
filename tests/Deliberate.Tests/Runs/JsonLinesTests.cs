using System.Text;
using System.Text.Json;
using CsCheck;
using Deliberate.Runs;
using Xunit;

namespace Deliberate.Tests.Runs;

public class JsonLinesTests
{
    private sealed record Row(string Text, double Number, int? Count = null);

    // Text of whole code points: JSON has no other.
    private static readonly Gen<string> Text = Gen.OneOf(Gen.Char['\0', '\u05ff'].Select(letter => letter.ToString()), Gen.OneOf("\u2028", "\r\n", "\"", "你", "😀", "\\u0000")).Array[0, 12].Select(parts => string.Concat(parts));

    [Fact]
    public void Everything_written_reads_back()
    {
        using var folder = new TemporaryFolder();
        Gen.Select(Text, Gen.Double, Gen.Int.Nullable()).Select((text, number, count) => new Row(text, double.IsFinite(number) ? number : double.NaN, count)).Array[0, 6].Sample(rows =>
        {
            JsonLines.Write(folder["rows.jsonl"], rows);
            Assert.Equal(rows, JsonLines.Read<Row>(folder["rows.jsonl"]));
            Assert.Equal(rows.Length, File.ReadAllBytes(folder["rows.jsonl"]).Count(letter => letter == '\n'));
        }, iter: 100, threads: 1);
    }

    [Theory]
    [InlineData("""{"text":"a","number":1""")]
    [InlineData("""{"number":1}""")]
    [InlineData("""{"text":null,"number":1}""")]
    [InlineData("null")]
    [InlineData("[1]")]
    public void A_bad_line_is_named(string line)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["rows.jsonl"], "{\"text\":\"a\",\"number\":1}\n\n" + line, Encoding.UTF8);
        Assert.Contains("rows.jsonl:3: not a valid line", Assert.Throws<InvalidDataException>(() => JsonLines.Read<Row>(folder["rows.jsonl"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_snake_case_and_numbers_that_are_none_are_null() =>
        Assert.Equal("""{"text":"é <b>","number":null,"count":null}""", JsonSerializer.Serialize(new Row("é <b>", double.PositiveInfinity), RunJson.Options));

    [Fact]
    public void A_failed_write_leaves_the_old_file()
    {
        using var folder = new TemporaryFolder();
        AtomicFile.WriteText(folder["a.txt"], "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(folder["a.txt"], stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(folder["a.txt"]));
    }
}
