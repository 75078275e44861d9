using Deliberate.Runs;
using Xunit;

namespace Deliberate.Tests.Runs;

public class StageStoreTests
{
    private sealed record Piece(string Text);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_finished_stage_is_loaded_not_repeated()
    {
        using var folder = new TemporaryFolder();
        var made = 0;
        Task<Piece> Make() => Task.FromResult(new Piece($"{++made}"));
        for (var i = 0; i < 2; i++) Assert.Equal(new Piece("1"), await new StageStore(folder.Path).GetAsync("eval-sft+rl", "k1", Make));
        Assert.Equal(new Piece("2"), await new StageStore(folder.Path).GetAsync("eval-sft+rl", "k2", Make));
        Assert.False(new StageStore(folder.Path).TryLoad<Piece>("eval", "k1", out _));
    }

    [Fact]
    public void A_broken_result_is_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["eval-k.json"], "{");
        Assert.Contains("Delete it", Assert.Throws<InvalidDataException>(() => new StageStore(folder.Path).TryLoad<Piece>("eval", "k", out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_appear_whole_or_not_at_all()
    {
        using var folder = new TemporaryFolder();
        var store = new StageStore(folder.Path);
        Assert.Throws<InvalidOperationException>(() => store.SaveFolder("sft", "k", path =>
        {
            File.WriteAllText(Path.Combine(path, "half"), "");
            throw new InvalidOperationException();
        }));
        Assert.Null(store.TryFolder("sft", "k"));

        var saved = store.SaveFolder("sft", "k", path =>
        {
            Assert.Empty(Directory.EnumerateFileSystemEntries(path));
            File.WriteAllText(Path.Combine(path, "model"), "weights");
        });
        Assert.Equal(saved, store.TryFolder("sft", "k"));
        Assert.Equal("weights", File.ReadAllText(Path.Combine(saved, "model")));
    }

    [Fact]
    public void Work_in_progress_stays_until_it_is_cleared()
    {
        using var folder = new TemporaryFolder();
        var store = new StageStore(folder.Path);
        File.WriteAllText(Path.Combine(store.ScratchPath("rl", "k"), "checkpoint"), "1");
        Assert.True(File.Exists(Path.Combine(store.ScratchPath("rl", "k"), "checkpoint")));
        Assert.Null(store.TryFolder("rl", "k"));
        store.ClearScratch("rl", "k");
        Assert.Empty(Directory.EnumerateFileSystemEntries(store.ScratchPath("rl", "k")));
    }

    [Theory]
    [InlineData("../out")]
    [InlineData("")]
    [InlineData("a/b")]
    public void Refuses_names_that_lead_elsewhere(string stage)
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<ArgumentException>(() => new StageStore(folder.Path).Save(stage, "k", new Piece("")));
    }

    [Fact]
    public async Task A_log_remembers_what_was_finished_under_concurrency()
    {
        using var folder = new TemporaryFolder();
        var store = new StageStore(folder.Path);
        using (var log = store.OpenLog<Piece>("judge", "k"))
        {
            await Parallel.ForAsync(0, 200, Token, async (number, token) => await log.AddAsync($"i{number}", new($"text {number}"), token));
            await log.AddAsync("i0", new("another"), Token);
        }

        using var again = store.OpenLog<Piece>("judge", "k");
        Assert.Equal(200, again.Count);
        Assert.All(Enumerable.Range(0, 200), number => Assert.Equal((true, $"text {number}"), (again.TryGet($"i{number}", out var piece), piece!.Text)));
        Assert.False(again.TryGet("i200", out _));
    }

    [Fact]
    public async Task A_log_torn_anywhere_keeps_its_whole_lines_and_goes_on()
    {
        using var folder = new TemporaryFolder();
        var store = new StageStore(folder.Path);
        using (var log = store.OpenLog<Piece>("judge", "k"))
            for (var i = 0; i < 3; i++) await log.AddAsync($"i{i}", new($"é\n{i}"), Token);
        var whole = await File.ReadAllBytesAsync(folder["judge-k.jsonl"], Token);
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            await File.WriteAllBytesAsync(folder["judge-k.jsonl"], whole[..cut], Token);
            var lines = whole[..cut].Count(letter => letter == '\n');
            using (var log = store.OpenLog<Piece>("judge", "k"))
            {
                Assert.Equal(lines, log.Count);
                await log.AddAsync("new", new("n"), Token);
            }

            using var again = store.OpenLog<Piece>("judge", "k");
            Assert.Equal(lines + 1, again.Count);
        }
    }

    [Fact]
    public void A_last_line_of_garbage_is_dropped_and_one_in_the_middle_is_named()
    {
        using var folder = new TemporaryFolder();
        var store = new StageStore(folder.Path);
        const string Good = "{\"id\":\"a\",\"item\":{\"text\":\"x\"}}\n";
        File.WriteAllText(folder["judge-k.jsonl"], Good + "\0\0\0\n");
        using (var log = store.OpenLog<Piece>("judge", "k")) Assert.Equal(1, log.Count);
        File.WriteAllText(folder["judge-k.jsonl"], "\0\0\0\n" + Good);
        Assert.Contains("judge-k.jsonl:1:", Assert.Throws<InvalidDataException>(() => store.OpenLog<Piece>("judge", "k")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_depend_on_every_part_and_on_nothing_else()
    {
        var key = StageKey.Of("sft", 1, 0.5, null, new Piece("x"), new[] { 1, 2 });
        Assert.Equal(key, StageKey.Of("sft", 1, 0.5, null, new Piece("x"), new[] { 1, 2 }));
        Assert.Equal(16, key.Length);
        Assert.NotEqual(key, StageKey.Of("sft", 1, 0.5, null, new Piece("y"), new[] { 1, 2 }));
        Assert.NotEqual(StageKey.Of("a", "b"), StageKey.Of("ab"));
        Assert.NotEqual(StageKey.Of("1"), StageKey.Of(1));
    }
}
