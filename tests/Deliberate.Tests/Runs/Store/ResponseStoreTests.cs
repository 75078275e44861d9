using System.Text.Json;
using Deliberate.Policies;
using Deliberate.Runs.Store;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Runs.Store;

public class ResponseStoreTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ChatResponse Full() => new(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent("I think é"), new TextContent("the answer")]) { AdditionalProperties = new() { ["reasoning"] = "raw" } })
    {
        ResponseId = "r1",
        ModelId = "served-model",
        FinishReason = ChatFinishReason.Length,
        Usage = new() { InputTokenCount = 10, OutputTokenCount = 20, ReasoningTokenCount = 7 },
        AdditionalProperties = new() { ["system_fingerprint"] = "fp" },
    };

    private static void Execute(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    [Fact]
    public async Task A_response_comes_back_in_full_from_a_store_that_was_closed()
    {
        using var folder = new TemporaryFolder();
        var received = StoreSamples.Received("q", Full(), cost: 0.0123m);
        using (var store = ResponseStore.Open(folder["sub/store.db"])) Assert.True(await store.AddAsync(received));

        using var again = ResponseStore.OpenReadOnly(folder["sub/store.db"]);
        var found = again.Find(received.Key)!;
        Assert.Equal(("the answer", "I think é"), (found.Text, ((TextReasoningContent)found.Messages[0].Contents[0]).Text));
        Assert.Equal((ChatFinishReason.Length, "served-model", "r1"), (found.FinishReason, found.ModelId, found.ResponseId));
        Assert.Equal((10, 20, 7), (found.Usage!.InputTokenCount, found.Usage.OutputTokenCount, found.Usage.ReasoningTokenCount));
        Assert.Equal("fp", found.AdditionalProperties!["system_fingerprint"]!.ToString());
        Assert.Equal("raw", found.Messages[0].AdditionalProperties!["reasoning"]!.ToString());
        Assert.Null(again.Find(StoreSamples.Received("other", Full()).Key));
        Assert.Equal(["sub", "store.db"], Directory.EnumerateFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)!).Where(name => !name.Contains('-', StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_first_response_of_a_key_stays()
    {
        using var folder = new TemporaryFolder();
        using var store = ResponseStore.Open(folder["store.db"]);
        Assert.True(await store.AddAsync(StoreSamples.Received("q", new(new ChatMessage(ChatRole.Assistant, "first")))));
        Assert.False(await store.AddAsync(StoreSamples.Received("q", new(new ChatMessage(ChatRole.Assistant, "second")))));
        Assert.Equal("first", store.Find(StoreSamples.Received("q", Full()).Key)!.Text);
    }

    [Fact]
    public async Task Extras_that_cannot_be_written_do_not_lose_the_response()
    {
        using var folder = new TemporaryFolder();
        using var store = ResponseStore.Open(folder["store.db"]);
        var odd = Full();
        odd.AdditionalProperties!["odd"] = new Dictionary<object, Type> { [new object()] = typeof(int) };
        await store.AddAsync(StoreSamples.Received("q", odd));
        var found = store.Find(StoreSamples.Received("q", odd).Key)!;
        Assert.Equal(("the answer", "fp", 20), (found.Text, found.AdditionalProperties!["system_fingerprint"]!.ToString(), found.Usage!.OutputTokenCount));
    }

    [Fact]
    public async Task Many_writers_in_two_stores_of_one_file_keep_everything_once_and_share_commits()
    {
        using var folder = new TemporaryFolder();
        using (var a = ResponseStore.Open(folder["store.db"]))
        using (var b = ResponseStore.Open(folder["store.db"]))
        {
            var added = 0;
            await Parallel.ForAsync(0, 600, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Token }, async (number, _) =>
            {
                // Every request comes twice, by either store.
                var received = StoreSamples.Received($"q{number % 300}", new(new ChatMessage(ChatRole.Assistant, $"{number}")), prompt: $"p{number % 300}", spec: new($"rules {number % 5}", "c", "h"));
                if (await (number % 2 == 0 ? a : b).AddAsync(received)) Interlocked.Increment(ref added);
                Assert.Equal(number % 300, int.Parse((number % 2 == 0 ? b : a).Find(received.Key)!.Text, System.Globalization.CultureInfo.InvariantCulture) % 300);
            });
            Assert.Equal(300, added);
            Assert.InRange(a.Commits + b.Commits, 2, 599);
        }

        using var again = ResponseStore.OpenReadOnly(folder["store.db"]);
        Assert.Equal((300, 300), (StoreSummary.Of(again).Responses, StoreSummary.Of(again).Requests));
        Assert.Equal(5, again.Rows("SELECT id FROM spec").Count());
        Assert.Equal("ok", again.Rows("PRAGMA integrity_check").Select(row => row.GetString(0)).Single());
    }

    [Theory]
    [InlineData("Rules of \"theft\":\n- [T1] é 😀 <b>")]
    [InlineData("x")]
    public async Task A_specification_is_kept_once_and_requests_stay_whole(string text)
    {
        using var folder = new TemporaryFolder();
        using var store = ResponseStore.Open(folder["store.db"]);
        var spec = new Spec(text, "theft", "hash");
        string[] questions = [$"before {text} after", text, "without it", $"{text}{text}"];
        foreach (var question in questions) await store.AddAsync(StoreSamples.Received(question, Full(), spec: spec));
        Assert.Single(store.Rows("SELECT id FROM spec"));
        Assert.DoesNotContain(store.Rows("SELECT body FROM request").Select(row => row.GetString(0)).Take(2), body => body.Contains(StoreFunctions.Escaped(text), StringComparison.Ordinal) && text != "x");
        var path = folder["requests.jsonl"];
        await StoreExport.WriteAsync(store, "requests", path, cancellationToken: Token);
        Assert.Equal(questions.Select(question => CanonicalRequest.Of(StoreSamples.Ask(question)).Json), File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("request").GetRawText()));
    }

    [Fact]
    public async Task A_record_that_cannot_be_written_takes_no_others_along()
    {
        using var folder = new TemporaryFolder();
        using var store = ResponseStore.Open(folder["store.db"]);
        var good = Enumerable.Range(0, 40).Select(number => store.AddAsync(StoreSamples.Received($"q{number}", Full()))).ToArray();
        var bad = store.WriteAsync(_ => throw new InvalidOperationException("bad"));
        var more = Enumerable.Range(40, 40).Select(number => store.AddAsync(StoreSamples.Received($"q{number}", Full()))).ToArray();
        Assert.Equal("bad", (await Assert.ThrowsAsync<InvalidOperationException>(() => bad)).Message);
        Assert.All(await Task.WhenAll([.. good, .. more]), Assert.True);
        Assert.Equal(80, StoreSummary.Of(store).Responses);
    }

    [Fact]
    public void A_file_that_is_no_store_is_named_and_left_alone()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["text.db"], string.Concat(Enumerable.Repeat("not a database at all. ", 100)));
        Execute(folder["foreign.db"], "CREATE TABLE t (x)");
        File.WriteAllText(folder["empty.db"], "");
        foreach (var name in (string[])["text.db", "foreign.db"])
        {
            var before = File.ReadAllBytes(folder[name]);
            foreach (var open in (Func<string, ResponseStore>[])[path => ResponseStore.Open(path), ResponseStore.OpenReadOnly])
            {
                var message = Assert.Throws<InvalidDataException>(() => open(folder[name])).Message;
                Assert.StartsWith(folder[name], message, StringComparison.Ordinal);
                Assert.Contains("no", message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', message);
            }

            Assert.Equal(before, File.ReadAllBytes(folder[name]));
        }

        Assert.Contains("empty", Assert.Throws<InvalidDataException>(() => ResponseStore.OpenReadOnly(folder["empty.db"])).Message, StringComparison.Ordinal);
        Assert.Contains("no run store", Assert.Throws<FileNotFoundException>(() => ResponseStore.OpenReadOnly(folder["none.db"])).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["none.db"]));
    }

    [Fact]
    public void A_store_of_a_newer_schema_is_refused()
    {
        using var folder = new TemporaryFolder();
        ResponseStore.Open(folder["store.db"]).Dispose();
        Execute(folder["store.db"], $"PRAGMA user_version = {StoreFile.Version + 1}");
        foreach (var open in (Func<string, ResponseStore>[])[path => ResponseStore.Open(path), ResponseStore.OpenReadOnly])
            Assert.Contains("newer Deliberate (schema 2; this one knows 1)", Assert.Throws<InvalidDataException>(() => open(folder["store.db"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damage_in_the_middle_of_the_file_is_told_when_it_is_met()
    {
        using var folder = new TemporaryFolder();
        var keys = new List<ResponseKey>();
        using (var store = ResponseStore.Open(folder["store.db"]))
            for (var i = 0; i < 50; i++)
            {
                var received = StoreSamples.Received($"q{i}", new(new ChatMessage(ChatRole.Assistant, new string('x', 2000))));
                keys.Add(received.Key);
                await store.AddAsync(received);
            }

        var bytes = await File.ReadAllBytesAsync(folder["store.db"], Token);
        Array.Fill(bytes, (byte)0xA5, 4096, bytes.Length - 4096);
        await File.WriteAllBytesAsync(folder["store.db"], bytes, Token);
        var problem = Assert.Throws<InvalidDataException>(() =>
        {
            using var damaged = ResponseStore.OpenReadOnly(folder["store.db"]);
            keys.ForEach(key => damaged.Find(key));
        });
        Assert.Contains("damaged", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_store_refuses_to_write_and_sees_what_others_write()
    {
        using var folder = new TemporaryFolder();
        using var writing = ResponseStore.Open(folder["store.db"]);
        using var reading = ResponseStore.OpenReadOnly(folder["store.db"]);
        var received = StoreSamples.Received("q", Full());
        await writing.AddAsync(received);
        Assert.True(reading.Contains(received.Key));
        Assert.True(reading.IsReadOnly);
        await Assert.ThrowsAsync<InvalidOperationException>(() => reading.AddAsync(received));
        Assert.Throws<ArgumentException>(() => StoreSamples.Numbered().UseResponseStore(reading, StoreSamples.Context()));
    }

    [Fact]
    public async Task Failures_are_counted_until_the_call_succeeds()
    {
        using var folder = new TemporaryFolder();
        using var store = ResponseStore.Open(folder["store.db"]);
        var received = StoreSamples.Received("q", Full());
        for (var i = 0; i < 3; i++) await store.AddFailureAsync(received.Key, received.Use, 4, "m1", $"HTTP 50{i}:\n too busy");
        var failure = Assert.Single(store.Failures());
        Assert.Equal((received.Key, "run", "generate", "p", 4, "m1", "HTTP 502: too busy", 3), (failure.Key, failure.Run, failure.Stage, failure.PromptId, failure.SampleIndex, failure.Model, failure.Reason, failure.Attempts));
        Assert.True(failure.First <= failure.Last);
        Assert.Equal(failure, store.FindFailure(received.Key));
        Assert.Empty(store.Failures("other run"));
        Assert.Empty(store.Failures(stage: "judge"));
        await store.AddAsync(received);
        Assert.Empty(store.Failures());
    }
}
