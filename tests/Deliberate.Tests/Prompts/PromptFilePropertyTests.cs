using System.Text;
using CsCheck;
using Deliberate.Tests.Runs;
using Parquet.Serialization;
using Xunit;

namespace Deliberate.Tests.Prompts;

/// <summary>Whatever the bytes, reading gives prompts or one InvalidDataException of one line, and with a listener for bad rows it goes on.</summary>
public class PromptFilePropertyTests
{
    private static readonly byte[] Lines = Encoding.UTF8.GetBytes("""
        {"id":1,"prompt":"How do I bake é bread? \ud83c\udf5e","category":["a","b"],"label":"safe"}
        {"messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"U"}]},{"role":"assistant","content":"<think>a</think>b"}]}

        """);

    private static readonly byte[] List = Encoding.UTF8.GetBytes("""[{"question":"a","category":["x"],"score":{"y":1.5}},{"prompt":"[{\"role\":\"user\",\"content\":\"b\"}]"}]""");

    private static readonly byte[] Table = Encoding.UTF8.GetBytes("id,prompt,type,label,focus\r\n1,\"a \"\"b\"\",\r\nc\",x,safe,\r\n2,d,y,unsafe,z\r\n");

    // Bytes are changed, cut, doubled and put in; marks of the formats more often than others.
    private static Gen<byte[]> Mutated(byte[] from)
    {
        var piece = Gen.OneOf(Gen.OneOf("\"", "\\", "{", "}", "[", "]", ",", "\n", "\r", ":", "\\ud800", "\uFEFF", "null", "1e999", "\0", "\"\"").Select(Encoding.UTF8.GetBytes), Gen.Byte.Array[1, 4]);
        var edit = Gen.Select(Gen.Int[0, from.Length], Gen.Int[0, 6], piece);
        return edit.Array[1, 4].Select(edits =>
        {
            var bytes = from;
            foreach (var (at, cut, put) in edits)
            {
                var start = Math.Min(at, bytes.Length);
                bytes = [.. bytes[..start], .. put, .. bytes[Math.Min(bytes.Length, start + cut)..]];
            }

            return bytes;
        });
    }

    private static void Holds(string name, byte[] from, int iterations) => Holds(name, check => Mutated(from).Sample(check, iter: iterations));

    private static void Holds(string name, IEnumerable<byte[]> inputs) => Holds(name, check =>
    {
        foreach (var bytes in inputs) check(bytes);
    });

    private static void Holds(string name, Action<Action<byte[]>> each)
    {
        using var folder = new TemporaryFolder();
        var (read, failed, files) = (0, 0, 0);
        each(bytes =>
        {
            var path = folder[$"{Interlocked.Increment(ref files)}{name}"];
            File.WriteAllBytes(path, bytes);
            foreach (var skipped in new Action<string>?[] { null, problem => Assert.DoesNotContain('\n', problem) })
            {
                try
                {
                    Interlocked.Add(ref read, Shared.ReadAsync(path, new(Skipped: skipped, LongestRow: 1 << 16)).GetAwaiter().GetResult().Count);
                }
                catch (InvalidDataException failure)
                {
                    Interlocked.Increment(ref failed);
                    Assert.StartsWith(path, failure.Message, StringComparison.Ordinal);
                    Assert.DoesNotContain('\n', failure.Message);
                }
            }

            File.Delete(path);
        });
        Assert.True(read > 0 && failed > 0, $"{read} read and {failed} failed: too few of one to test it");
    }

    [Fact]
    public void Lines_of_json() => Holds(".jsonl", Lines, 1500);

    [Fact]
    public void An_array_of_json() => Holds(".json", List, 1500);

    [Fact]
    public void Csv() => Holds(".csv", Table, 1500);

    // The same damage every time: among some ten thousand kinds of it there is one that the library never comes back from.
    [Fact]
    public async Task Parquet()
    {
        var from = await TableAsync();
        Holds(".parquet", Enumerable.Range(0, 400).Select(number => Damaged(from, new Random(number))));
    }

    [Fact]
    public async Task A_footer_of_parquet_that_ends_too_early_is_refused()
    {
        using var folder = new TemporaryFolder();
        var from = await TableAsync();
        var length = BitConverter.ToInt32(from, from.Length - 8);
        for (var kept = 0; kept < length; kept++)
        {
            var path = folder[$"{kept}.parquet"];
            await File.WriteAllBytesAsync(path, [.. from[..(from.Length - 8 - length + kept)], .. BitConverter.GetBytes(kept), .. "PAR1"u8], Shared.Token);
            var failure = await Assert.ThrowsAsync<InvalidDataException>(() => Shared.ReadAsync(path));
            Assert.Contains("footer", failure.Message, StringComparison.Ordinal);
        }
    }

    private static async Task<byte[]> TableAsync()
    {
        using var folder = new TemporaryFolder();
        await ParquetSerializer.SerializeAsync(Enumerable.Range(0, 8).Select(number => new Row { Id = number, Prompt = $"Prompt {number}", Category = [$"c{number % 2}"] }), folder["a.parquet"], cancellationToken: Shared.Token);
        return await File.ReadAllBytesAsync(folder["a.parquet"], Shared.Token);
    }

    private static byte[] Damaged(byte[] from, Random random)
    {
        for (var edits = random.Next(1, 5); edits > 0; edits--)
        {
            var (at, cut, put) = (random.Next(from.Length + 1), random.Next(7), new byte[random.Next(1, 5)]);
            random.NextBytes(put);
            from = [.. from[..at], .. put, .. from[Math.Min(from.Length, at + cut)..]];
        }

        return from;
    }

    private sealed class Row
    {
        public int Id { get; set; }

        public string? Prompt { get; set; }

        public List<string>? Category { get; set; }
    }
}
