using System.Text;
using CsCheck;
using Deliberate.Server.Dashboard.Files;
using Xunit;

namespace Deliberate.Server.Tests.Dashboard;

public sealed class GrowingLinesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("growing-lines-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Whatever_pieces_a_file_grows_by_each_whole_line_is_handed_on_once()
    {
        var number = 0;
        Gen.String[Gen.Char["ab\né"], 0, 12].Array[0, 12].Sample(pieces =>
        {
            var path = Path.Combine(_folder, $"{Interlocked.Increment(ref number)}.jsonl");
            var (lines, seen) = (new GrowingLines(path), new List<string>());
            foreach (var piece in pieces)
            {
                File.AppendAllText(path, piece);
                lines.Refresh(() => Assert.Fail("nothing was replaced"), (span, line) =>
                {
                    Assert.Equal(line.ToArray(), span.Read());
                    seen.Add(Encoding.UTF8.GetString(line));
                });
            }

            var whole = string.Concat(pieces);
            var end = whole.LastIndexOf('\n') + 1;
            Assert.Equal(whole[..end].Split('\n', StringSplitOptions.RemoveEmptyEntries), seen);
        }, threads: 1);
    }

    [Theory]
    [InlineData("other\n")]
    [InlineData("another one that is longer\nand has two lines\n")]
    public void A_file_that_was_replaced_is_read_anew(string content)
    {
        var path = Path.Combine(_folder, "file.jsonl");
        File.WriteAllText(path, "first line\nsecond\n");
        var (lines, seen) = (new GrowingLines(path), new List<string>());
        Look();
        File.WriteAllText(path, content);
        Look();
        Assert.Equal(content.Split('\n', StringSplitOptions.RemoveEmptyEntries), seen);
        File.Delete(path);
        Look();
        Assert.Empty(seen);

        void Look() => lines.Refresh(seen.Clear, (_, line) => seen.Add(Encoding.UTF8.GetString(line)));
    }

    [Fact]
    public void A_line_of_several_megabytes_is_one_line()
    {
        var path = Path.Combine(_folder, "long.jsonl");
        File.WriteAllText(path, new string('x', 5_000_000) + "\nshort\n");
        var seen = new List<int>();
        new GrowingLines(path).Refresh(seen.Clear, (_, line) => seen.Add(line.Length));
        Assert.Equal([5_000_000, 5], seen);
    }
}
