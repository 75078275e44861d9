using Deliberate.Policies;
using Xunit;

namespace Deliberate.EndToEnd.Tests;

public class CommandTests
{
    [Fact]
    public async Task Without_arguments_the_program_prints_help()
    {
        var result = await CliProcess.RunAsync();
        Assert.Equal((0, ""), (result.Code, result.Err));
        Assert.Contains("deliberate [command] [options]", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_example_policy_is_shown_in_whole_and_by_category_and_has_no_errors()
    {
        var policy = Policy.Load(Shipped.Policy);
        var overview = await CliProcess.RunAsync("policy", "show", Shipped.Policy);
        Assert.Equal((0, ""), (overview.Code, overview.Err));
        Assert.All(policy.Clauses, clause => Assert.Contains(clause.Code, overview.Out, StringComparison.Ordinal));
        Assert.Contains(policy.Hash, overview.Out, StringComparison.Ordinal);

        var category = policy.Categories[0];
        var spec = await CliProcess.RunAsync("policy", "show", Shipped.Policy, "--category", category.Id);
        Assert.Equal(policy.Spec(category.Id).Text.Trim(), spec.Out.Trim());

        Assert.Equal(0, (await CliProcess.RunAsync("policy", "check", Shipped.Policy)).Code);
    }
}
