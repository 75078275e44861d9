using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class TrainingPromptsTests
{
    private static readonly IReadOnlyList<Request> Requests = TrainingPrompts.Draw(Sample.Policy, 1, 1_500, 0.3);

    [Fact]
    public void No_prompt_or_first_turn_is_held_out() =>
        Assert.All(Requests.Concat(TrainingPrompts.Capability(Sample.Policy, 1, 500)), request =>
        {
            Assert.Equal(Side.Training, PromptSplit.Of(request));
            if (request.FirstTurn is { } first) Assert.Equal(Side.Training, PromptSplit.Of(first));
        });

    [Fact]
    public void No_held_out_wrapper_occurs()
    {
        Assert.DoesNotContain(Requests, request => Wrappers.HeldOut.Contains(request.Wrapper));
        Assert.All(Wrappers.Known, wrapper => Assert.Contains(Requests, request => request.Wrapper == wrapper));
    }

    [Fact]
    public void Prompts_and_suites_have_no_text_in_common()
    {
        var trained = Requests.Select(request => request.Text).ToHashSet();
        Assert.DoesNotContain(Suites.Build(Sample.Policy, 1, 60, 20), item => trained.Contains(item.Request.Text));
    }

    [Fact]
    public void Every_category_and_act_has_its_turn()
    {
        var covered = Requests.Where(request => Suites.Covered(Sample.Policy).Contains(request.Topic.Category)).ToArray();
        Assert.InRange(covered.Length / (double)Requests.Count, 0.65, 0.75);
        var cells = covered.CountBy(request => (request.Topic.Category, request.Act)).ToDictionary();
        Assert.Equal(Suites.Covered(Sample.Policy).Count * Act.All.Count, cells.Count);
        Assert.True(cells.Values.Min() * 3 > cells.Values.Max());
    }

    [Fact]
    public void Every_clause_decides_about_some_prompt() =>
        Assert.All(Sample.Policy.Clauses, clause => Assert.Contains(Requests, request => Ruling.Of(Sample.Policy, request).Clause == clause));

    [Fact]
    public void Capability_prompts_are_covered_by_no_clause_and_come_in_every_wrapper()
    {
        var requests = TrainingPrompts.Capability(Sample.Policy, 2, 600);
        Assert.Equal(600, requests.Count);
        Assert.All(requests, request => Assert.Null(Ruling.Of(Sample.Policy, request).Clause));
        Assert.All(Wrappers.All, wrapper => Assert.Contains(requests, request => request.Wrapper == wrapper));
    }

    [Fact]
    public void The_seed_decides_all_of_it()
    {
        Assert.Equal(Requests, TrainingPrompts.Draw(Sample.Policy, 1, 1_500, 0.3));
        Assert.NotEqual(Requests, TrainingPrompts.Draw(Sample.Policy, 2, 1_500, 0.3));
        Assert.Equal(TrainingPrompts.Capability(Sample.Policy, 1, 100), TrainingPrompts.Capability(Sample.Policy, 1, 100));
    }

    [Fact]
    public void A_policy_without_clauses_has_benign_prompts_only()
    {
        var requests = TrainingPrompts.Draw(Sample.Policy with { Clauses = [] }, 1, 50, 0.3);
        Assert.Equal(50, requests.Count);
    }

    [Fact]
    public void Other_sides_can_be_drawn() =>
        Assert.All(TrainingPrompts.Draw(Sample.Policy, 1, 100, 0.3, Side.Validation), request => Assert.Equal(Side.Validation, PromptSplit.Of(request)));
}
