using CsCheck;
using Deliberate.Inference.Generation;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

public class PrefixTreeTests
{
    // Prompts of few symbols and with common beginnings of all lengths, so that they are equal, nested and branching.
    private static readonly Gen<int[][]> Prompts = Gen.Select(Gen.Int[0, 60], Gen.Int[0, 20].Select(Gen.Int[0, 1].Array[0, 4]).Array[1, 25], (length, tails) =>
        tails.Select(tail => Enumerable.Range(0, 1 + Math.Max(0, length - tail.Item1)).Select(i => i % 3).Concat(tail.Item2).ToArray()).ToArray());

    [Fact]
    public void Every_request_is_in_one_group_of_equal_prompts_that_begin_with_their_prefix() =>
        Prompts.Sample(prompts =>
        {
            var (prefixes, groups) = Build(prompts);
            Assert.Equal(Enumerable.Range(0, prompts.Length), groups.SelectMany(group => group.Requests).Order());
            foreach (var group in groups)
            {
                foreach (var request in group.Requests) Assert.Equal(prompts[group.Requests[0]], prompts[request]);
                if (group.Prefix is not { } prefix) continue;
                var tokens = Chain(prefix);
                Assert.True(tokens.Length < prompts[group.Requests[0]].Length, "The last token is the request's own.");
                Assert.Equal(tokens, prompts[group.Requests[0]][..tokens.Length]);
                Assert.Contains(prefix, prefixes);
            }

            foreach (var prefix in prefixes)
            {
                Assert.True(prefix.Tokens.Length >= 12);
                Assert.True(prefix.Parent is null || prefixes.IndexOf(prefix.Parent) < prefixes.IndexOf(prefix), "Parents come first.");
            }
        });

    [Fact]
    public void A_common_beginning_is_shared_and_branches_share_more()
    {
        int[] common = [.. Enumerable.Range(0, 50)], left = [.. common, .. Enumerable.Repeat(7, 20)], right = [.. common, .. Enumerable.Repeat(8, 20)];
        int[][] prompts = [[.. left, 1], [.. left, 2], [.. left, 3], [.. right, 1], [.. right, 2], [.. right, 3]];
        var (prefixes, groups) = Build(prompts);
        Assert.Equal([common, left, right], prefixes.Select(Chain));
        Assert.All(groups, group => Assert.Equal(70, group.Prefix!.End));
    }

    [Fact]
    public void A_prompt_that_is_the_beginning_of_others_is_no_trouble()
    {
        int[] first = [.. Enumerable.Range(0, 30)];
        var (_, groups) = Build([first, [.. first, 1], [.. first, 1, 2], first, [.. first, 2]]);
        Assert.Equal(4, groups.Count);
        Assert.Equal([0, 3], groups[0].Requests);
    }

    [Fact]
    public void Nothing_is_shared_where_that_is_switched_off()
    {
        var requests = Enumerable.Repeat(new GenerationRequest { Prompt = [.. Enumerable.Range(0, 40)] }, 5).ToArray();
        var (prefixes, groups) = PrefixTree.Build(requests, share: false);
        Assert.Empty(prefixes);
        Assert.Equal(5, groups.Count);
    }

    private static (List<SharedPrefix> Prefixes, List<PromptGroup> Groups) Build(int[][] prompts) =>
        PrefixTree.Build([.. prompts.Select(prompt => new GenerationRequest { Prompt = prompt })], share: true);

    private static int[] Chain(SharedPrefix prefix) => prefix.Parent is null ? prefix.Tokens : [.. Chain(prefix.Parent), .. prefix.Tokens];
}
