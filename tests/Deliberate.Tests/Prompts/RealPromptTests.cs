using Deliberate.Prompts;
using Xunit;

namespace Deliberate.Tests.Prompts;

/// <summary>The public sets that people will load first. Counts only: their rows are never printed.</summary>
public class RealPromptTests
{
    [Theory]
    [InlineData("xstest/xstest_prompts.csv", 450, null)]
    [InlineData("xstest/completions/xstest_v2_completions_gpt4.csv", 450, null)]
    [InlineData("strongreject/strongreject_small_dataset.csv", 60, null)]
    [InlineData("simplesafetytests/simplesafetytests.csv", 100, null)]
    [InlineData("star-1/STAR-1.json", 1000, null)]
    [InlineData("openai-rbr/gold_train.jsonl", 351, null)]
    [InlineData("teen-safety/dangerous-content/golden.csv", 41, "prompt=example,label=classification")]
    public async Task Are_read_whole_and_without_a_mapping_where_their_names_are_usual(string name, int count, string? mapping)
    {
        var prompts = await Shared.ReadAsync(Shared.Data(name), new(mapping is null ? null : PromptFields.Parse(mapping)));
        Assert.True(prompts.Count == count, $"{prompts.Count} prompts instead of {count}");
        Assert.True(mapping is not null || prompts.All(prompt => prompt.Categories.Count > 0), "a prompt has no category");
    }

    [Fact]
    public async Task The_overlaps_that_are_known_are_found_and_those_that_are_not_there_are_not()
    {
        var star = await Shared.ReadAsync(Shared.Data("star-1/STAR-1.json"));
        Assert.Equal((4, 0, 0), (await Exact("simplesafetytests/simplesafetytests.csv"), await Exact("strongreject/strongreject_small_dataset.csv"), await Exact("xstest/xstest_prompts.csv")));

        async Task<int> Exact(string name)
        {
            var evaluation = new EvaluationSets(nearDuplicate: 2);
            await evaluation.AddAsync(Shared.Data(name), cancellationToken: Shared.Token);
            return star.Count(prompt => evaluation.Find(prompt.Prompt) is { Overlap: 1 });
        }
    }
}
