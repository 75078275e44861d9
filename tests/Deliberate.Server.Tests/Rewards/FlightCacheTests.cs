using Deliberate.Conversations;
using Deliberate.Server.Rewards;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

public class FlightCacheTests
{
    private static ContentKey Key(string text) => ContentKey.Of([text], Conversation.FromUser("a"));

    [Fact]
    public void A_key_tells_apart_where_texts_are_cut_and_who_speaks()
    {
        Conversation user = Conversation.FromUser("a"), tool = new([new(Role.Tool, "a")]);
        ContentKey[] keys =
        [
            ContentKey.Of(["ab", ""], user), ContentKey.Of(["a", "b"], user), ContentKey.Of(["", "ab"], user), ContentKey.Of(["ab", ""], tool),
            ContentKey.Of(["ab"], new([new(Role.User, "a"), new(Role.User, "")])), ContentKey.Of(["ab"], user), ContentKey.Of(["ab"], new([])),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(ContentKey.Of(["ü", "x"], user), ContentKey.Of(["ü", "x"], Conversation.FromUser("a")));
    }

    [Fact]
    public async Task A_value_is_made_once_for_all_who_ask_meanwhile()
    {
        var cache = new FlightCache<string>(10, _ => true);
        var gate = new TaskCompletionSource<string>();
        var made = 0;
        var asked = Enumerable.Range(0, 50).Select(_ => cache.Get(Key("a"), gate, (state, _) =>
        {
            made++;
            return state.Task;
        })).ToArray();
        gate.SetResult("value");
        Assert.All(await Task.WhenAll(asked.Select(ask => ask.Value.AsTask())), value => Assert.Equal("value", value));
        Assert.Equal((1, CacheUse.Made), (made, asked[0].Use));
        Assert.All(asked.Skip(1), ask => Assert.Equal(CacheUse.Joined, ask.Use));
        Assert.Equal(CacheUse.Kept, cache.Get(Key("a"), gate, (_, _) => throw new InvalidOperationException()).Use);
    }

    [Fact]
    public async Task What_is_not_worth_keeping_is_made_again_and_told_how_often()
    {
        var cache = new FlightCache<string>(10, value => value == "good");
        var failures = new List<int>();
        foreach (var value in new[] { "bad", "bad", "good", "never made" })
        {
            await cache.Get(Key("a"), value, (state, count) =>
            {
                failures.Add(count);
                return Task.FromResult(state);
            }).Value;
        }

        Assert.Equal([0, 1, 2], failures);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task The_least_recently_used_goes_first(int capacity)
    {
        var cache = new FlightCache<string>(capacity, _ => true);
        ValueTask<string> Ask(string text) => cache.Get(Key(text), text, (state, _) => Task.FromResult(state)).Value;
        foreach (var text in new[] { "a", "b", "c", "a", "d" }) Assert.Equal(text, await Ask(text));
        Assert.Equal(capacity, cache.Count);
        var uses = new[] { "a", "c", "d", "b" }.Select(text => cache.Get(Key(text), text, (state, _) => Task.FromResult(state)).Use);
        Assert.Equal(capacity == 0 ? Enumerable.Repeat(CacheUse.Made, 4) : [CacheUse.Kept, CacheUse.Kept, CacheUse.Kept, CacheUse.Made], uses);
    }

    [Fact]
    public async Task One_that_throws_leaves_nothing_behind()
    {
        var cache = new FlightCache<string>(10, _ => true);
        await Assert.ThrowsAsync<InvalidOperationException>(() => cache.Get(Key("a"), 0, (_, _) => Task.FromException<string>(new InvalidOperationException())).Value.AsTask());
        Assert.Equal("value", await cache.Get(Key("a"), 0, (_, _) => Task.FromResult("value")).Value);
    }

    [Fact]
    public async Task A_late_value_is_kept_unless_there_is_another()
    {
        var cache = new FlightCache<string>(10, value => value.Length > 0);
        Assert.Equal("", await cache.Get(Key("a"), 0, (_, _) => Task.FromResult("")).Value);
        cache.Put(Key("a"), "late");
        Assert.Equal("late", await cache.Get(Key("a"), 0, (_, _) => Task.FromResult("new")).Value);
        cache.Put(Key("a"), "later");
        Assert.Equal("late", await cache.Get(Key("a"), 0, (_, _) => Task.FromResult("new")).Value);
    }
}
