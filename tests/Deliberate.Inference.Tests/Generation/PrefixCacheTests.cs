using Deliberate.Inference.Generation;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

public class PrefixCacheTests
{
    private static readonly PackedModel Model = new(Tiny.Even);
    private readonly List<KeyValues> _freed = [];

    private static int[] Text(int from, int count) => [.. Enumerable.Range(from, count)];

    private static CachedRun Open(PrefixCache cache, int[] prompt, int computed)
    {
        var (parent, length, _) = cache.Find(prompt);
        var run = cache.Open(prompt, parent, length, (above, start) => new(Model, above, prompt.Length, start));
        run.Run.Count = computed - length;
        return run;
    }

    [Fact]
    public void A_prompt_continues_the_run_that_has_most_of_it()
    {
        var cache = new PrefixCache(true, 10_000);
        var first = Open(cache, Text(0, 50), 50);
        Assert.Equal((first, 30, false), cache.Find([.. Text(0, 30), 200, 201]));
        var second = Open(cache, [.. Text(0, 30), .. Text(100, 30)], 60);
        Assert.Equal((first.Run, 30), (second.Run.Parent, second.Run.Start));
        Assert.Equal((second, 45), cache.Find([.. Text(0, 30), .. Text(100, 15), 250]) is var (run, length, _) ? (run, length) : default);
        // What is found through the second but lies in the first hangs on the first.
        var third = Open(cache, [.. Text(0, 20), 240], 20);
        Assert.Equal((first.Run, 20), (third.Run.Parent, third.Run.Start));
        Assert.Equal((null, 0, false), cache.Find(Text(0, 12))); // its last token is its own
    }

    [Fact]
    public void Of_prompts_only_neither_the_last_token_nor_what_was_generated_is_shared()
    {
        var cache = new PrefixCache(true, 10_000, promptsOnly: true);
        var run = Open(cache, Text(0, 40), 46);
        cache.Close(run, Text(0, 46), _freed.Add);
        Assert.Equal((run, 39, false), cache.Find(Text(0, 60)));
        Assert.Equal((run, 30, false), cache.Find([.. Text(0, 30), 200, 201]));
    }

    [Fact]
    public void A_prompt_waits_for_what_is_about_to_be_computed_only()
    {
        var cache = new PrefixCache(true, 10_000);
        var run = Open(cache, Text(0, 50), 20);
        Assert.Equal((run, 20, true), cache.Find(Text(0, 40)));
        Assert.Equal((run, 15, false), cache.Find([.. Text(0, 15), 200]));
        cache.Close(run, run.Tokens, _freed.Add); // cancelled before it was there
        Assert.Equal((run, 20, false), cache.Find(Text(0, 40)));
    }

    [Fact]
    public void The_least_recently_used_go_when_there_is_no_room_but_none_that_is_continued()
    {
        var cache = new PrefixCache(true, 2 * 64);
        CachedRun[] runs = [.. Enumerable.Range(0, 3).Select(i => Open(cache, Text(i * 60, 60), 60))];
        var child = Open(cache, [.. Text(0, 40), .. Text(200, 20)], 60);
        foreach (var run in runs) cache.Close(run, run.Tokens, _freed.Add);
        Assert.Equal([runs[1].Run], _freed);
        Assert.Equal(runs[0], cache.Find(Text(0, 60)).Run);
        cache.Close(child, child.Tokens, _freed.Add);
        Assert.Equal([runs[1].Run, runs[2].Run], _freed);
        cache.Clear();
        Assert.Equal((null, 0, false), cache.Find(Text(0, 60)));
    }

    [Fact]
    public void Without_sharing_nothing_is_found_or_kept()
    {
        var cache = new PrefixCache(false, 1000);
        var run = Open(cache, Text(0, 50), 50);
        Assert.Equal((null, 0, false), cache.Find(Text(0, 50)));
        cache.Close(run, run.Tokens, _freed.Add);
        Assert.Equal([run.Run], _freed);
    }
}
