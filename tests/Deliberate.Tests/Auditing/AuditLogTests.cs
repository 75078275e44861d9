using CsCheck;
using Deliberate.Auditing;
using Deliberate.Conversations;
using Deliberate.Tests.Runs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Deliberate.Tests.Auditing;

public sealed class AuditLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));

    private string Log => _folder["log"];

    private string[] Files => [.. Directory.GetFiles(Log, "audit-*.jsonl").Order(StringComparer.Ordinal)];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    private AuditExchange Exchange(string id) => new()
    {
        Id = id,
        Caller = "k1",
        Begun = _time.GetUtcNow(),
        Ended = _time.GetUtcNow(),
        Model = "m",
        Outcome = AuditOutcome.Answered,
        Citations = [new("T6", true)],
        Conversation = [new(Role.User, $"question {id} \"with\" signs ü 🙂\n")],
        Thinking = $"thought {id}",
        Answer = $"answer {id}",
    };

    private AuditLog Open(AuditOptions? options = null) => AuditLog.Open(Log, options, _time);

    private async Task FillAsync(int count, AuditOptions? options = null)
    {
        await using var log = Open(options);
        foreach (var number in Enumerable.Range(0, count)) await log.AppendAsync(Exchange($"e{number}"));
    }

    [Fact]
    public async Task What_was_appended_is_read_again_in_order_and_the_chain_holds()
    {
        await using var log = Open(new() { SegmentBytes = 2000 });
        var numbers = await Task.WhenAll(Enumerable.Range(0, 200).Select(number => log.AppendAsync(Exchange($"e{number}"))));
        await log.AppendAsync(Exchange("last"));
        Assert.Equal(Enumerable.Range(1, 200).Select(number => (long)number), numbers.Order());
        Assert.True(Files.Length > 1);

        var all = log.Read(0, 1000);
        Assert.Equal(201, all.Count);
        var middle = log.Read(100, 3);
        Assert.Equal([101L, 102, 103], middle.Select(entry => entry.Number));
        Assert.Equivalent(Exchange(middle[1].Exchange.Id), middle[1].Exchange);
        Assert.Equal(201, log.Find("last")!.Number);
        Assert.Null(log.Find("none"));
        var verified = AuditVerification.Of(Log, middle[0].Hash);
        Assert.Equal((null, 201, 1, 201, false), (verified.Problem, verified.Records, verified.First, verified.Last, verified.Torn));
        Assert.Equal(all[^1].Hash, verified.LastHash);
    }

    [Fact]
    public async Task Any_changed_byte_is_found_with_its_file_and_line()
    {
        await FillAsync(6, new() { SegmentBytes = 2000 });
        var files = Files;
        Assert.True(files.Length > 1);
        Gen.Select(Gen.Int[0, files.Length - 1], Gen.Int[0, int.MaxValue], Gen.Byte).Sample((number, at, value) =>
        {
            var bytes = File.ReadAllBytes(files[number]);
            at %= bytes.Length - 1; // without the last line end, which a crash may also have cut off
            var old = bytes[at];
            if (old == value) return;
            bytes[at] = value;
            File.WriteAllBytes(files[number], bytes);
            var found = AuditVerification.Of(Log);
            bytes[at] = old;
            File.WriteAllBytes(files[number], bytes);
            Assert.False(found.Holds);
            Assert.StartsWith(files[number] + ":", found.Problem, StringComparison.Ordinal);
        }, iter: 2000, threads: 1);
        Assert.True(AuditVerification.Of(Log).Holds);
    }

    [Fact]
    public async Task Lines_that_are_removed_swapped_repeated_or_moved_are_found()
    {
        await FillAsync(5);
        var lines = File.ReadAllLines(Files[0]);
        void Broken(string at, params string[] changed)
        {
            File.WriteAllLines(Files[0], changed);
            Assert.StartsWith($"{Files[0]}:{at}: ", AuditVerification.Of(Log).Problem, StringComparison.Ordinal);
        }

        Broken("3", lines[0], lines[1], lines[3], lines[4]);
        Broken("2", lines[0], lines[2], lines[1], lines[3], lines[4]);
        Broken("3", lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]);
        Broken("1", lines[1], lines[2], lines[3], lines[4]);
        Broken("2", lines[0], "", lines[1], lines[2], lines[3], lines[4]);
        Broken("2", lines[0], lines[1].Replace("\"hash\"", "\"extra\":1,\"hash\"", StringComparison.Ordinal), lines[2], lines[3], lines[4]);
    }

    [Fact]
    public async Task A_log_whose_end_was_cut_off_lacks_a_hash_that_was_noted()
    {
        await FillAsync(3);
        var noted = AuditVerification.Of(Log).LastHash;
        File.WriteAllLines(Files[0], File.ReadAllLines(Files[0])[..2]);
        Assert.True(AuditVerification.Of(Log).Holds);
        Assert.Contains(noted, AuditVerification.Of(Log, noted).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_segment_is_found()
    {
        await FillAsync(8, new() { SegmentBytes = 1500 });
        var files = Files;
        Assert.True(files.Length >= 3);
        var bytes = File.ReadAllBytes(files[1]);
        File.Delete(files[1]);
        Assert.Contains(files[2], AuditVerification.Of(Log).Problem, StringComparison.Ordinal);
        File.WriteAllBytes(files[1], bytes);
        File.Delete(files[0]);
        Assert.Contains("no record says that they were deleted", AuditVerification.Of(Log).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_last_line_that_was_cut_off_anywhere_is_repaired_and_the_log_goes_on()
    {
        await FillAsync(3);
        var bytes = File.ReadAllBytes(Files[0]);
        var second = bytes.AsSpan(0, bytes.Length - 1).LastIndexOf((byte)'\n') + 1;
        for (var length = second + 1; length < bytes.Length; length += 7)
        {
            File.WriteAllBytes(Files[0], bytes[..length]);
            var torn = AuditVerification.Of(Log);
            Assert.Equal((null, true, 2), (torn.Problem, torn.Torn, torn.Records));
            await using (var log = Open())
            {
                Assert.Equal(2, log.Last);
                Assert.Equal(3, await log.AppendAsync(Exchange("again")));
            }

            var mended = AuditVerification.Of(Log);
            Assert.Equal((null, false, 3), (mended.Problem, mended.Torn, mended.Records));
        }
    }

    [Fact]
    public async Task A_segment_that_a_crash_left_empty_is_used_and_one_whose_records_were_cut_away_is_not()
    {
        await FillAsync(2);
        File.WriteAllText(Path.Combine(Log, "audit-000000000003.jsonl"), "");
        await FillAsync(1);
        Assert.Equal((true, 3L), (AuditVerification.Of(Log).Holds, AuditVerification.Of(Log).Last));
        File.WriteAllText(Files[0], "");
        File.Delete(Files[1]);
        await FillAsync(1);
        Assert.True(AuditVerification.Of(Log).Holds); // an empty log, as far as anybody can tell without a noted hash

        Directory.Delete(Log, true);
        await FillAsync(8, new() { SegmentBytes = 1500 });
        File.WriteAllText(Files[^1], "");
        await FillAsync(1);
        Assert.Equal(long.Parse(Path.GetFileNameWithoutExtension(Files[^1])["audit-".Length..], System.Globalization.CultureInfo.InvariantCulture), AuditVerification.Of(Log).Last);
        File.WriteAllText(Files[^1], "");
        File.Delete(Files[^2]);
        Assert.Throws<InvalidDataException>(() => Open());
    }

    [Fact]
    public async Task A_broken_log_is_not_gone_on_with()
    {
        await FillAsync(3);
        var text = File.ReadAllText(Files[0]).Replace("thought e1", "thought e9", StringComparison.Ordinal);
        File.WriteAllText(Files[0], text);
        Assert.StartsWith($"{Files[0]}:2: ", Assert.Throws<InvalidDataException>(() => Open()).Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(Files[0]));
    }

    [Fact]
    public async Task One_process_at_a_time_writes()
    {
        await using var log = Open();
        Assert.Contains("in use", Assert.Throws<IOException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_day_begins_a_segment_and_old_ones_are_deleted_with_a_record_that_says_so()
    {
        var options = new AuditOptions { KeepFor = TimeSpan.FromDays(3) };
        for (var day = 0; day < 10; day++)
        {
            await using (var log = Open(options)) await Task.WhenAll(log.AppendAsync(Exchange($"d{day}a")), log.AppendAsync(Exchange($"d{day}b")));
            _time.Advance(TimeSpan.FromDays(1));
            var found = AuditVerification.Of(Log);
            Assert.True(found.Holds, found.Problem);
        }

        await using (var log = Open(options))
        {
            await log.AppendAsync(Exchange("end"));
            Assert.Null(log.Find("d1a"));
            Assert.NotNull(log.Find("d8a"));
            Assert.Equal(["d8a", "d8b", "d9a", "d9b", "end"], log.Read(0, 100).Select(entry => entry.Exchange.Id).Order(StringComparer.Ordinal).TakeLast(5).Order(StringComparer.OrdinalIgnoreCase));
        }

        var verified = AuditVerification.Of(Log);
        Assert.True(verified.Holds && verified.First > 10, verified.Problem);
        Assert.InRange(Files.Length, 3, 5);
        // Deleting one more by hand is seen.
        File.Delete(Files[0]);
        Assert.Contains("no record says that they were deleted", AuditVerification.Of(Log).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_content_is_taken_out_with_a_record_that_says_so_and_the_chain_holds()
    {
        var options = new AuditOptions { RedactAfter = TimeSpan.FromDays(2), Redacted = AuditParts.Conversation | AuditParts.Thinking, SegmentBytes = 1500 };
        await FillAsync(6, options);
        _time.Advance(TimeSpan.FromDays(3));
        await using (var log = Open(options))
        {
            await log.AppendAsync(Exchange("new"));
            await log.CleanAsync();
            var old = log.Find("e1")!.Exchange;
            Assert.Equal((null, null, "answer e1", "k1"), (old.Conversation, old.Thinking, old.Answer, old.Caller));
            Assert.Equal("thought new", log.Find("new")!.Exchange.Thinking);
            _time.Advance(TimeSpan.FromDays(3));
            await log.CleanAsync();
            Assert.Null(log.Find("new")!.Exchange.Thinking);
        }

        Assert.All(Files, file => Assert.DoesNotContain("question", File.ReadAllText(file), StringComparison.Ordinal));
        var verified = AuditVerification.Of(Log);
        Assert.Equal((null, 7), (verified.Problem, verified.Redacted));
        await FillAsync(1, options);
        Assert.True(AuditVerification.Of(Log).Holds);
    }

    [Fact]
    public async Task Content_that_is_taken_out_by_hand_is_found()
    {
        await FillAsync(3);
        var lines = File.ReadAllLines(Files[0]);
        var at = lines[1].IndexOf(",\"parts\":{\"conversation\":{\"salt\"", StringComparison.Ordinal);
        lines[1] = lines[1][..at] + lines[1][lines[1].LastIndexOf(",\"hash\"", StringComparison.Ordinal)..];
        File.WriteAllLines(Files[0], lines);
        Assert.Equal($"{Files[0]}:2: content is gone, and no record says that it was taken out", AuditVerification.Of(Log).Problem);
    }

    [Fact]
    public async Task Withheld_parts_never_reach_the_disk()
    {
        await FillAsync(3, new() { Withheld = AuditParts.Conversation | AuditParts.Thinking });
        var text = File.ReadAllText(Files[0]);
        Assert.DoesNotContain("thought", text, StringComparison.Ordinal);
        Assert.DoesNotContain("question", text, StringComparison.Ordinal);
        Assert.Equal((true, 3), (AuditVerification.Of(Log).Holds, AuditVerification.Of(Log).Redacted));
    }

    [Fact]
    public async Task Equal_content_has_different_hashes_so_that_nobody_can_guess_at_it()
    {
        await using (var log = Open())
        {
            await log.AppendAsync(Exchange("same"));
            await log.AppendAsync(Exchange("same"));
        }

        var digests = File.ReadAllLines(Files[0]).Select(line => line[line.IndexOf("\"answer\":\"", StringComparison.Ordinal)..][..70]);
        Assert.Equal(2, digests.Distinct().Count());
    }

    [Fact]
    public async Task A_log_that_is_being_written_can_be_read_and_verified()
    {
        await using var log = Open(new() { SegmentBytes = 3000 });
        var writing = Task.Run(async () =>
        {
            for (var round = 0; round < 30; round++) await Task.WhenAll(Enumerable.Range(0, 8).Select(number => log.AppendAsync(Exchange($"{round}-{number}"))));
        }, Token);
        while (!writing.IsCompleted)
        {
            var found = AuditVerification.Of(Log);
            Assert.True(found.Holds, found.Problem);
            var last = log.Last;
            Assert.Equal(last, log.Read(0, 1000).Count(entry => entry.Number <= last));
        }

        await writing;
        Assert.Equal(240, AuditVerification.Of(Log).Records);
    }
}
