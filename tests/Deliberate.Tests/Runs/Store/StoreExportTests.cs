using System.Text.Json;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;
using Parquet;
using Xunit;

namespace Deliberate.Tests.Runs.Store;

public sealed class StoreExportTests : IDisposable
{
    private const int Rows = 250;

    private readonly TemporaryFolder _folder = new();
    private readonly ResponseStore _store;

    public StoreExportTests() => _store = ResponseStore.Open(_folder["store.db"]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    private async Task FillAsync()
    {
        await Parallel.ForAsync(0, Rows, Token, async (number, _) => await _store.AddAsync(StoreSamples.Received(
            $"q{number}", new(new ChatMessage(ChatRole.Assistant, $"<think>why \"{number}\"\n</think>é {number}")) { Usage = number % 2 == 0 ? new() { OutputTokenCount = number } : null }, number < 50 ? "a" : "b", prompt: $"p{number}", cost: number % 2 == 0 ? 0.5m : null)));
        await _store.AddFailureAsync(StoreSamples.Received("s", new()).Key, new("a", "judge", "p3"), 1, "m1", "timeout");
    }

    [Fact]
    public async Task Every_table_is_written_as_json_lines()
    {
        await FillAsync();
        var counts = new Dictionary<string, long> { ["completions"] = Rows, ["responses"] = Rows, ["requests"] = Rows, ["failures"] = 1, ["runs"] = 2 };
        Assert.Equal(counts.Keys.Order(), StoreExport.Tables.Order());
        foreach (var (table, count) in counts)
        {
            var path = _folder[$"out/{table}.jsonl"];
            Assert.Equal(count, await StoreExport.WriteAsync(_store, table, path, cancellationToken: Token));
            Assert.Equal(count, File.ReadLines(path).Count(line => JsonDocument.Parse(line).RootElement.ValueKind == JsonValueKind.Object));
            Assert.False(File.Exists(path + ".tmp"));
        }

        var row = JsonDocument.Parse(File.ReadLines(_folder["out/completions.jsonl"]).Single(line => line.Contains("\"p4\"", StringComparison.Ordinal))).RootElement;
        Assert.Equal(("a", "generate", "why \"4\"", "é 4"), (row.GetProperty("run").GetString(), row.GetProperty("stage").GetString(), row.GetProperty("thinking").GetString(), row.GetProperty("answer").GetString()));
        Assert.Equal((4, 0.5, JsonValueKind.Null), (row.GetProperty("tokens_out").GetInt64(), row.GetProperty("cost").GetDouble(), row.GetProperty("category").ValueKind));
        Assert.True(DateTimeOffset.TryParse(row.GetProperty("created").GetString(), System.Globalization.CultureInfo.InvariantCulture, out _));
        var response = JsonDocument.Parse(File.ReadLines(_folder["out/responses.jsonl"]).First()).RootElement.GetProperty("response");
        Assert.Equal("assistant", response.GetProperty("messages")[0].GetProperty("role").GetString());
    }

    [Fact]
    public async Task Parquet_holds_the_same_rows()
    {
        await FillAsync();
        Assert.Equal(Rows, await StoreExport.WriteAsync(_store, "completions", _folder["c.parquet"], cancellationToken: Token));
        await StoreExport.WriteAsync(_store, "completions", _folder["c.jsonl"], cancellationToken: Token);
        var lines = File.ReadLines(_folder["c.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        await using var reader = await ParquetReader.CreateAsync(_folder["c.parquet"], cancellationToken: Token);
        var fields = reader.Schema.DataFields;
        using var group = reader.OpenRowGroupReader(0);
        Assert.Equal(Rows, group.RowCount);
        foreach (var field in fields)
        {
            var expected = lines.Select(line => line.GetProperty(field.Name)).Select(value => value.ValueKind == JsonValueKind.Null ? null : value.ToString());
            string?[] actual;
            if (field.ClrType == typeof(long))
            {
                var numbers = new long?[Rows];
                await group.ReadAsync(field, numbers.AsMemory(), cancellationToken: Token);
                actual = [.. numbers.Select(number => number?.ToString(System.Globalization.CultureInfo.InvariantCulture))];
            }
            else if (field.ClrType == typeof(double))
            {
                var numbers = new double?[Rows];
                await group.ReadAsync(field, numbers.AsMemory(), cancellationToken: Token);
                actual = [.. numbers.Select(number => number?.ToString(System.Globalization.CultureInfo.InvariantCulture))];
            }
            else
            {
                actual = new string?[Rows];
                await group.ReadAsync(field, actual.AsMemory()!, cancellationToken: Token);
            }

            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public async Task One_run_alone_can_be_exported()
    {
        await FillAsync();
        foreach (var (table, count) in new Dictionary<string, long> { ["completions"] = 50, ["responses"] = 50, ["requests"] = 50, ["failures"] = 1, ["runs"] = 1 })
            Assert.Equal(count, await StoreExport.WriteAsync(_store, table, _folder["out.jsonl"], "a", Token));
        Assert.Equal(0, await StoreExport.WriteAsync(_store, "failures", _folder["out.parquet"], "b", Token));
    }

    [Fact]
    public async Task What_cannot_be_exported_leaves_no_file()
    {
        await FillAsync();
        Assert.Contains("known are completions, responses", (await Assert.ThrowsAsync<ArgumentException>(() => StoreExport.WriteAsync(_store, "nonsense", _folder["x.jsonl"], cancellationToken: Token))).Message, StringComparison.Ordinal);
        Assert.Contains("no run 'z'", (await Assert.ThrowsAsync<ArgumentException>(() => StoreExport.WriteAsync(_store, "runs", _folder["x.jsonl"], "z", Token))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => StoreExport.WriteAsync(_store, "runs", _folder["x.jsonl"], cancellationToken: new(canceled: true)));
        Assert.DoesNotContain(Directory.EnumerateFiles(_folder.Path), path => Path.GetFileName(path).StartsWith('x'));
    }
}
