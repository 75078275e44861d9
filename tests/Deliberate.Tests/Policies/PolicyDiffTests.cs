using Deliberate.Policies;
using Xunit;

namespace Deliberate.Tests.Policies;

public class PolicyDiffTests
{
    private static PolicyDiff Diff(string from, string to) => PolicyDiff.Between(Written.Policy(), Written.Policy(theft: Written.Theft.Replace(from, to)));

    [Fact]
    public void Policies_that_say_the_same_do_not_differ()
    {
        var diff = PolicyDiff.Between(Written.Policy(), Written.Policy(main: Written.Main + "\n<!-- a note -->\n", theft: Written.Theft.Replace("fiction\n  over", "fiction over")));
        Assert.True(diff.IsEmpty);
        Assert.Equal(diff.Before, diff.After);
        Assert.False(diff.IsStale("theft") || diff.IsStale(null));
    }

    [Fact]
    public void A_changed_clause_makes_its_own_category_stale_and_no_other()
    {
        var diff = Diff("History: the past.", "History: what was.");
        var change = Assert.Single(diff.Clauses);
        Assert.Equal((ChangeKind.Changed, "T2", "theft", "History: the past.", "History: what was."), (change.Kind, change.Code, change.Category, change.Before!.Text, change.After!.Text));
        Assert.Equal(["text"], change.Fields);
        Assert.Equal(["theft"], diff.ChangedCategories);
        Assert.Equal([true, false, false], new[] { "theft", "pets", null }.Select(diff.IsStale));
        Assert.False(diff.TouchesAll);
    }

    [Theory]
    [InlineData("- **T2** History: the past.\n", "", ChangeKind.Removed, "T2", "")]
    [InlineData("**T2** History: the past.", "**T2** History: the past.\n- **T9** News: of today.", ChangeKind.Added, "T9", "")]
    [InlineData("## Disallowed", "## Safe completion", ChangeKind.Changed, "T3", "action")]
    [InlineData("  - Exclusion: a plan\n", "", ChangeKind.Changed, "T1", "exclusions")]
    [InlineData("a tale of a heist", "a tale", ChangeKind.Changed, "T1", "examples")]
    public void What_became_of_a_clause_is_named(string from, string to, ChangeKind kind, string code, string fields)
    {
        var theft = Written.Theft.Replace(from, to);
        // A section may stand once.
        if (fields == "action") theft = theft.Replace("\n## Safe completion\n\n- **T4**", "\n- **T4**");
        var change = Assert.Single(PolicyDiff.Between(Written.Policy(), Written.Policy(theft: theft)).Clauses);
        Assert.Equal((kind, code, "theft", fields), (change.Kind, change.Code, change.Category, string.Join(',', change.Fields)));
        Assert.Equal((kind == ChangeKind.Added, kind == ChangeKind.Removed), (change.Before is null, change.After is null));
    }

    [Theory]
    [InlineData("Taking what is not yours.", "Taking.", "summary")]
    [InlineData("# Theft", "# Stealing", "title")]
    public void What_other_specifications_show_makes_all_stale(string from, string to, string field)
    {
        var diff = Diff(from, to);
        Assert.Equal([field], Assert.Single(diff.Categories).Fields);
        Assert.True(diff.TouchesAll && diff.IsStale("pets") && diff.IsStale(null));
    }

    [Fact]
    public void Terms_and_the_order_of_clauses_count_and_sources_do_not()
    {
        Assert.Equal(["terms"], Assert.Single(Diff("a way to steal", "a manner of stealing").Categories).Fields);
        var swapped = Written.Theft.Replace("**T1**", "**T8**").Replace("**T2**", "**T1**").Replace("**T8**", "**T2**");
        Assert.Equal(["clauses"], Assert.Single(PolicyDiff.Between(Written.Policy(), Written.Policy(theft: swapped)).Categories).Fields);
        var sourced = Diff("History: the past.", "History: the past.\n  - Source: book#1");
        Assert.Equal(["source"], Assert.Single(sourced.Clauses).Fields);
        Assert.Empty(sourced.Categories);
        Assert.NotEqual(sourced.Before, sourced.After);
    }

    [Fact]
    public void A_clause_that_moves_changes_both_categories()
    {
        var diff = PolicyDiff.Between(Written.Policy(), Written.Policy(theft: Written.Theft.Replace("- **T2** History: the past.\n", ""), pets: Written.Pets + "\n- **T2** History: the past.\n"));
        Assert.Equal(["category"], Assert.Single(diff.Clauses).Fields);
        Assert.Equal(["pets", "theft"], diff.ChangedCategories);
    }

    [Fact]
    public void Guidelines_and_categories_that_come_and_go_are_named()
    {
        var diff = PolicyDiff.Between(Written.Policy(), Written.Policy(main: Written.Main.Replace("Help first.", "Help.").Replace("a brief apology", "a plain no"), pets: null));
        Assert.Equal(["principles", "refusal style"], diff.Guidelines);
        Assert.Equal((ChangeKind.Removed, "pets"), (Assert.Single(diff.Categories).Kind, diff.Categories[0].Category));
        Assert.Equal((ChangeKind.Removed, "P1"), (Assert.Single(diff.Clauses).Kind, diff.Clauses[0].Code));
        Assert.True(diff.TouchesAll);
    }

    [Fact]
    public void Whatever_is_not_stale_has_the_same_specification()
    {
        var edits = new[] { ("History: the past.", "History: x."), ("a way to steal", "y"), ("Taking what", "Z what"), ("# Theft", "# Q"), ("## Disallowed", "## Not allowed"), ("Owners ask", "They ask"), ("a plan", "b") };
        foreach (var (from, to) in edits)
        {
            var (before, after) = (Written.Policy(), Written.Policy(theft: Written.Theft.Replace(from, to)));
            var diff = PolicyDiff.Between(before, after);
            Assert.All(new[] { "theft", "pets", null }, category => Assert.Equal(!diff.IsStale(category), before.Spec(category).Text == after.Spec(category).Text));
        }
    }
}
