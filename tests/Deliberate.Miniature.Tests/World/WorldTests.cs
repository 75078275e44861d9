using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class WorldTests
{
    [Fact]
    public void The_world_is_as_large_as_promised()
    {
        Assert.True(Topic.RiskCategories.Count >= 7);
        Assert.All(Topic.RiskCategories, category => Assert.True(Topic.Of(category).Count >= 12));
        Assert.True(Topic.All.Count(topic => !topic.Risky) >= 80);
        Assert.True(Act.All.Count >= 10);
        Assert.All(Act.All, act => Assert.True(act.Phrasings.Distinct().Count() >= 8));
        Assert.Equal(8, Persona.Roles.Count);
        Assert.Equal(9, Wrappers.All.Count);
    }

    [Fact]
    public void Names_are_unique()
    {
        AssertUnique(Topic.All.Select(topic => topic.Name).Concat(Topic.Categories).Concat(Act.All.Select(act => act.Name)));
        AssertUnique(Topic.All.Select(topic => topic.Foreign));
        AssertUnique(Act.All.Select(act => act.Foreign));
        AssertUnique(Persona.All.Select(persona => persona.Being).Append(Persona.ProfessionalBeing));
        AssertUnique(Persona.All.Select(persona => persona.ClauseTitle).Append(WorldPolicy.ProfessionalTitle).Concat(Act.All.Select(act => act.Name)));
        AssertUnique(Wrappers.All.Select(wrapper => wrapper.Name()));
        AssertUnique(Styles.Refusals.Concat(Styles.SafeCompletions));
        AssertUnique(Request.Fillers);
    }

    [Fact]
    public void Names_are_lower_case_words_without_signs_that_end_a_sentence() =>
        Assert.All(Topic.All.Select(topic => topic.Name).Concat(Topic.Categories).Concat(Act.All.Select(act => act.Name)).Concat(Persona.All.Select(persona => persona.Name)),
            name => Assert.Matches("^[a-z]+([ -][a-z]+)*$", name));

    [Fact]
    public void Every_topic_is_in_the_category_that_lists_it()
    {
        Assert.All(Topic.Categories, category => Assert.All(Topic.Of(category), topic => Assert.Equal(Topic.RiskCategories.Contains(category), topic.Risky)));
        Assert.Equal(Topic.All.Count, Topic.Categories.Sum(category => Topic.Of(category).Count));
    }

    [Fact]
    public void Every_template_has_its_place_once()
    {
        Assert.All(Act.All, act => Assert.All(act.Phrasings.Append(act.Answer), text => Assert.Equal(2, text.Split("{t}").Length)));
        Assert.All(Persona.All.SelectMany(persona => persona.Phrasings).Concat(Request.Fillers), text => Assert.Equal(2, text.Split("{r}").Length));
    }

    [Fact]
    public void Held_out_wrappers_are_none_of_the_known_ones()
    {
        Assert.Empty(Wrappers.Known.Intersect(Wrappers.HeldOut));
        Assert.DoesNotContain(Wrapper.None, Wrappers.All);
        Assert.Equal(Enum.GetValues<Wrapper>().Length - 1, Wrappers.All.Count);
    }

    [Theory]
    [InlineData("A Story", "a story")]
    [InlineData("instructions", "instructions")]
    [InlineData("a dance", null)]
    public void Acts_are_found_by_name(string name, string? expected) => Assert.Equal(expected, Act.Find(name)?.Name);

    private static void AssertUnique(IEnumerable<string> names) =>
        Assert.Empty(names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1).Select(group => group.Key));
}
