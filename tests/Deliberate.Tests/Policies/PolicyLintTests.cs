using Deliberate.Policies;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Policies;

public class PolicyLintTests
{
    [Fact]
    public void A_sound_policy_has_no_finding() => Assert.Empty(PolicyLint.Check(Written.Policy()));

    [Theory]
    [InlineData("- **T1** Poems: where appropriate.", "7: warning: 'appropriate' in T1 is vague")]
    [InlineData("- **T1** Poems: rhymes, puns, etc.", "7: warning: 'etc.' in T1 is vague")]
    [InlineData("- **T1** Poems: Unreasonable ones fall away.", "7: warning: 'Unreasonable' in T1 is vague")]
    [InlineData("- **T1** Poems: rhymes.\n\n## Disallowed\n\n- **T2** Stories and a poem: none.", "11: error: T2 demands to refuse on 'poem', and T1 at line 7 to comply")]
    [InlineData("- **T1** Poems: rhymes.\n- **T2** The poem: rhymes.", "8: warning: T2 says of 'poem' what T1 at line 7 says")]
    [InlineData("- **T1** Poems: rhymes.\n- **T4** Stories: long.", "8: hint: no clause between T1 and T4")]
    [InlineData("- **T1** Poems: rhymes.\n- **U2** Stories: long.", "8: hint: the category's codes begin with T and with U")]
    [InlineData("- **T1** Poems. Unless the user is a nurse: answer.", "7: warning: the exception of T1 demands what the clause demands")]
    [InlineData("- **T1** Poems, unless they are dull.", "7: warning: 'unless' in T1 reads like a condition and names no action")]
    [InlineData("- **T1** Poems only for friends.", "7: hint: 'only for' in T1 reads like a condition")]
    [InlineData("- **P2** Poems.", "7: hint: codes beginning with P are also those of pets.md")]
    [InlineData("- **T1** Poems.\n\n## Terms\n\n- **Poem**: verse and the like.", "11: warning: 'and the like' in the meaning of 'Poem' is vague")]
    public void A_category_is_checked_clause_by_clause(string clauses, string finding)
    {
        var found = Assert.Single(PolicyLint.Check(Written.Policy(theft: Written.Clauses(clauses))));
        Assert.StartsWith($"{Path.Combine("rules", "theft.md")}:{finding}", found.ToString());
    }

    [Theory]
    [InlineData("- **T1** Poems: rhymes. Unless the user is a nurse: refuse.\n\n## Disallowed\n\n- **T2** Poems: asked twice.")]
    [InlineData("- **T1** Poems: etcetera, appropriation and reasoning are no vague words.")]
    [InlineData("- **T2** Poems: rhymes.\n- **T1** Stories: long.")]
    public void What_is_sound_is_not_found(string clauses) => Assert.Empty(PolicyLint.Check(Written.Policy(theft: Written.Clauses(clauses))));

    [Fact]
    public void Missing_parts_are_found()
    {
        var policy = Written.Policy("# Title", "# Theft\n\n## Allowed\n\n- **T1** Poems.", "# THEFT\n\nPets, usually.\n\n## Allowed\n\n- **P1** Poems.");
        Assert.Equal(
        [
            "policy.md: warning: there are no principles; write them under '## Principles'",
            "policy.md: warning: nothing says how to refuse; write '## Refusal style: NAME'",
            "policy.md: warning: nothing says how to safe-complete; write '## Safe-completion style: NAME'",
            "policy.md: warning: nothing says which clause wins when two apply; write '## Precedence'",
            "pets.md:1: hint: 'usually' in the summary is vague; say what is meant",
            "theft.md:1: warning: the category has no summary, and so other categories' specifications show its title alone; write a paragraph below the title",
            "theft.md:1: warning: the title 'Theft' is also that of pets.md, and only one of the two can be reached by it; rename one",
        ], PolicyLint.Check(policy).Select(finding => finding.ToString()["rules/".Length..]));
    }

    [Fact]
    public void A_vague_precedence_is_found() =>
        Assert.Contains("'case by case' under Precedence", Assert.Single(PolicyLint.Check(Written.Policy(Written.Main.Replace("come first", "are weighed case by case")))).Message);

    [Fact]
    public void Length_is_checked_against_the_budget()
    {
        var policy = Written.Policy();
        var full = (policy.Spec("theft").Text.Length + 3) / 4;
        Assert.Empty(PolicyLint.Check(policy, full));
        var hint = Assert.Single(PolicyLint.Check(policy, full - 1));
        Assert.Equal((PolicySeverity.Hint, Path.Combine("rules", "theft.md")), (hint.Severity, hint.File));
        Assert.Contains("goes without all but the first sentence of the other categories' summaries", hint.Message);
        Assert.Contains(PolicyLint.Check(policy, 100), finding => finding.Severity == PolicySeverity.Error && finding.Message.Contains("at the least and the budget is 100"));
        Assert.NotEmpty(PolicyLint.Check(policy, 300, text => text.Length));
    }

    [Fact]
    public void All_errors_of_a_folder_are_found_at_once_and_those_of_a_policy_that_loads_none()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("no policy.md", Assert.Single(PolicyLint.Check(folder.Path)).Message);
        foreach (var (name, text) in Written.Files()) File.WriteAllText(folder[name], text);
        Assert.Empty(PolicyLint.Check(folder.Path));
        File.WriteAllText(folder["theft.md"], Written.Clauses("- **T1** Poems, if possible.\n- **T1** Stories.\n- no code\n- **P1** Tales. Unless so."));
        File.WriteAllText(folder["empty.md"], "# Empty\n\nNothing.");
        Assert.Equal(
        [
            ("empty.md", 1, PolicySeverity.Error), ("theft.md", 7, PolicySeverity.Warning), ("theft.md", 8, PolicySeverity.Error), ("theft.md", 9, PolicySeverity.Error),
            ("theft.md", 10, PolicySeverity.Error), ("theft.md", 10, PolicySeverity.Error),
        ], PolicyLint.Check(folder.Path).Select(finding => (Path.GetFileName(finding.File), finding.Line, finding.Severity)));
    }
}
