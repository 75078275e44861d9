using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class PromptSplitTests
{
    [Fact]
    public void Every_topic_act_and_phrasing_has_one_side_in_the_stated_shares()
    {
        var sides = Sample.PlainRequests().CountBy(PromptSplit.Of).ToDictionary();
        var all = sides.Values.Sum();
        Assert.InRange(sides[Side.HeldOut] / (double)all, 0.28, 0.32);
        Assert.InRange(sides[Side.Validation] / (double)all, 0.09, 0.11);
        Assert.Equal(all, sides[Side.Training] + sides[Side.Validation] + sides[Side.HeldOut]);
        Assert.Equal(all, Sample.PlainRequests().Select(request => request.SplitKey).Distinct().Count());
    }

    [Fact]
    public void Both_sides_have_every_topic_and_every_act()
    {
        foreach (var side in (Side[])[Side.Training, Side.HeldOut])
        {
            var requests = Sample.PlainRequests().Where(request => PromptSplit.Of(request) == side).ToArray();
            Assert.Equal(Topic.All.Count, requests.Select(request => request.Topic).Distinct().Count());
            Assert.Equal(Act.All.Count, requests.Select(request => request.Act).Distinct().Count());
        }
    }

    [Fact]
    public void Trimmings_do_not_move_a_request() =>
        Assert.All(Sample.Cases(1_000, 30), item =>
            Assert.Equal(PromptSplit.Of(new() { Topic = item.Request.Topic, Act = item.Request.Act, Phrasing = item.Request.Phrasing }), PromptSplit.Of(item.Request)));

    // If this fails, the split has moved: every aligned model has then been trained on what is now held out.
    [Fact]
    public void The_split_stays_where_it_is() =>
        Assert.Equal("THTHHHTVTVTTVVHHTTTHHHTTVHHTHVHTTTTTTTTVHTVT", string.Concat(Sample.PlainRequests().Where((_, i) => i % 401 == 0).Select(request => PromptSplit.Of(request).ToString()[0])));
}
