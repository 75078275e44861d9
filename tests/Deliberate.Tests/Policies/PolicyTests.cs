using Deliberate.Policies;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Policies;

public class PolicyTests
{
    [Fact]
    public void A_policy_is_read_in_all_its_parts()
    {
        var policy = Written.Policy();
        Assert.Equal("House rules", policy.Title);
        Assert.Equal("Rules of a house.", policy.Introduction);
        Assert.Equal(["Help first.", "Do not lecture."], policy.Principles);
        Assert.Equal(new StyleGuide("a brief apology", "- Say sorry once."), policy.Refusal);
        Assert.Equal(new StyleGuide("general facts", "Stay general."), policy.SafeCompletion);
        Assert.Equal("Clauses about users come first.", policy.Precedence);
        Assert.Equal(["pets", "theft"], policy.Categories.Select(category => category.Id));
        var theft = policy.Categories[1];
        Assert.Equal(("Theft", "Taking what is not yours. Owners ask for help.", "theft.md"), (theft.Title, theft.Summary, theft.File));
        Assert.Equal([new Term("Method", "a way to steal.", 7)], theft.Terms);
        Assert.Equal(["T1", "T2", "T3", "T4"], theft.Clauses.Select(clause => clause.Code));
        Assert.Equal([PolicyAction.Comply, PolicyAction.Comply, PolicyAction.Refuse, PolicyAction.SafeComplete], theft.Clauses.Select(clause => clause.Action));
    }

    [Fact]
    public void A_clause_has_its_subject_text_exception_notes_and_place()
    {
        var clause = Written.Policy().Find("T1")!;
        Assert.Equal("A story, a poem", clause.Subject);
        Assert.Equal("A story, a poem: fiction over two lines. Unless the user is a nurse: safe-complete.", clause.Text);
        Assert.Equal("A story, a poem: fiction over two lines.", clause.Rule);
        Assert.Equal(new ClauseException("the user is a nurse", PolicyAction.SafeComplete), clause.Exception);
        Assert.Equal(["a tale of a heist"], clause.Examples);
        Assert.Equal(["a plan"], clause.Exclusions);
        Assert.Equal(("theft.md", 11), (clause.File, clause.Line));
    }

    [Fact]
    public void Only_for_some_else_otherwise_is_an_exception_the_other_way_round()
    {
        var clause = Written.Policy().Find("T4")!;
        Assert.Equal(new ClauseException("a stated professional", PolicyAction.Refuse, Otherwise: true), clause.Exception);
        Assert.Equal(("Statistics", "Statistics. Figures mislead."), (clause.Subject, clause.Rule));
    }

    [Theory]
    [InlineData("Poems: no rhymes. Unless the user is a nurse: comply.", "the user is a nurse", PolicyAction.Comply)]
    [InlineData("Poems: no rhymes, unless the user is a nurse: it is allowed.", "the user is a nurse", PolicyAction.Comply)]
    [InlineData("Poems. Unless asked by a nurse, then answer. More.", "asked by a nurse", PolicyAction.Comply)]
    [InlineData("Poems. Unless the user is a nurse: Safe completion, at 10:30", "the user is a nurse", PolicyAction.SafeComplete)]
    [InlineData("Poems. Unless the user, so they say, is a nurse: complete safely!", "the user, so they say, is a nurse", PolicyAction.SafeComplete)]
    [InlineData("Poems. Unless the user states intent: such requests are refused.", "the user states intent", PolicyAction.Refuse)]
    [InlineData("Poems. Unless the user is a nurse, in which case answer.", "the user is a nurse", PolicyAction.Comply)]
    [InlineData("Poems: none, except for nurses: comply.", "nurses", PolicyAction.Comply)]
    [InlineData("Poems: none. If the user is a nurse: comply.", "the user is a nurse", PolicyAction.Comply)]
    [InlineData("Poems: only if the user is a nurse; otherwise it is not allowed.", "the user is a nurse", PolicyAction.Refuse)]
    [InlineData("Poems: allowed only when asked by a nurse. Otherwise, decline.", "asked by a nurse", PolicyAction.Refuse)]
    public void Exceptions_are_read_in_natural_words(string text, string condition, PolicyAction action)
    {
        var clause = Written.Policy(theft: Written.Clauses("- **T1** " + text)).Find("T1")!;
        Assert.Equal((condition, action), (clause.Exception?.Condition, clause.Exception?.Action));
        Assert.Equal("Poems", clause.Subject);
    }

    [Theory]
    [InlineData("Poems: nobody may say unless here")]
    [InlineData("Poems: they may rhyme, unless they are dull.")]
    [InlineData("Poems: not only for nurses.")]
    [InlineData("Poems: rhymes. If in doubt, refuse.")]
    [InlineData("If the user is a nurse: comply with everything.")]
    [InlineData("Poems: rhymes. When they are dull, they are short.")]
    public void Prose_that_only_sounds_like_an_exception_is_none(string text) => Assert.Null(Written.Policy(theft: Written.Clauses("- **T1** " + text)).Find("T1")!.Exception);

    [Theory]
    [InlineData("- **T1** Poems: rhymes.")]
    [InlineData("* **T1.** Poems: rhymes.")]
    [InlineData("+ __T1__: Poems: rhymes.")]
    [InlineData("- **[T1]** *Poems*:\n  rhymes.")]
    [InlineData("- [T1] Poems:\n\n  rhymes.")]
    [InlineData("1. **T1** Poems: rhymes.")]
    [InlineData("<!-- a note\n- **T9** of two lines -->\n- **T1** Poems: rhymes.")]
    [InlineData("- **T1** Poems\n  - : rhymes.")]
    [InlineData("---\n- **T1** Poems are rhymes. They rhyme: mostly.", "Poems are rhymes")]
    public void Clauses_may_be_written_in_several_ways(string clause, string subject = "Poems")
    {
        var read = Assert.Single(Written.Policy(theft: Written.Clauses(clause), pets: null).Clauses);
        Assert.Equal(("T1", subject), (read.Code, read.Subject.TrimEnd()));
    }

    [Fact]
    public void A_folder_is_read_file_by_file_and_a_readme_is_not_part_of_it()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, text) in Written.Files()) File.WriteAllText(folder[name], text);
        File.WriteAllText(folder["README.md"], "no policy");
        File.WriteAllText(folder["notes.txt"], "no policy");
        var policy = Policy.Load(folder.Path);
        Assert.Equal(folder.Path, policy.Folder);
        Assert.Equal(Written.Policy().Hash, policy.Hash);
        Assert.Equal("T3", policy.Find("T3")?.Code);
        Assert.Null(policy.Find("T9"));
        Assert.Equal("pets", policy.FindCategory("PETS")?.Id);
    }

    [Fact]
    public void The_hash_is_of_what_the_policy_says()
    {
        var hash = Written.Policy().Hash;
        Assert.Matches("^[0-9a-f]{16}$", hash);
        Assert.Equal(hash, Written.Policy(Written.Main.ReplaceLineEndings("\r\n"), "\uFEFF" + Written.Theft.ReplaceLineEndings("\r")).Hash);
        Assert.Equal(hash, Written.Policy(theft: Written.Theft.Replace("\n", "  \n")).Hash);
        Assert.Equal(hash, Written.Policy(theft: Written.Theft.Replace("- **", "*   **").Replace("fiction\n  over", "fiction over") + "\n\n<!-- a note -->\n").Hash);
        Assert.Equal(hash, Policy.Parse(Written.Files().Reverse(), "elsewhere").Hash);
        Assert.Equal(hash, Policy.Parse(Written.Policy().ToMarkdown()).Hash);
        Assert.NotEqual(hash, Written.Policy(theft: Written.Theft.Replace("never", "seldom")).Hash);
        Assert.NotEqual(hash, Written.Policy(theft: Written.Theft.Replace("Example: a tale", "Exclusion: a tale")).Hash);
        Assert.NotEqual(hash, Written.Policy(theft: Written.Theft.Replace("## Disallowed", "## Safe").Replace("## Safe completion", "## Disallowed").Replace("## Safe\n", "## Safe completion\n")).Hash);
    }

    [Fact]
    public void Another_action_moves_a_clause_and_changes_the_hash()
    {
        var policy = Written.Policy();
        var edited = policy.WithClauseAction("T2", PolicyAction.Refuse);
        Assert.Equal(PolicyAction.Refuse, edited.Find("T2")!.Action);
        Assert.Equal(PolicyAction.Comply, policy.Find("T2")!.Action);
        Assert.NotEqual(policy.Hash, edited.Hash);
        Assert.Equal(policy.Hash, edited.WithClauseAction("T2", PolicyAction.Comply).Hash);
        Assert.Equal(policy.Clauses.Where(clause => clause.Code != "T2").ToArray(), edited.Clauses.Where(clause => clause.Code != "T2"));
        Assert.Matches(@"### Disallowed\n\n- \[T2\] History: the past\.\n- \[T3\]", edited.Spec("theft").Text);
    }

    [Fact]
    public void An_exception_that_would_say_the_same_goes_with_its_sentence_and_others_stay()
    {
        var policy = Written.Policy();
        var dropped = policy.WithClauseAction("T1", PolicyAction.SafeComplete).Find("T1")!;
        Assert.Null(dropped.Exception);
        Assert.Equal("A story, a poem: fiction over two lines.", dropped.Text);
        var kept = policy.WithClauseAction("T1", PolicyAction.Refuse).Find("T1")!;
        Assert.Equal(policy.Find("T1")! with { Action = PolicyAction.Refuse }, kept);
        var flat = policy.WithClauseAction("T4", PolicyAction.Comply).Find("T4")!;
        Assert.Equal((PolicyAction.Comply, null, "Statistics. Figures mislead."), (flat.Action, flat.Exception, flat.Text));
    }

    [Fact]
    public void A_clause_that_is_not_there_cannot_be_edited() =>
        Assert.Equal("rules: there is no clause 'X1'; known are P1, T1 to T4", Assert.Throws<PolicyException>(() => Written.Policy().WithClauseAction("X1", PolicyAction.Comply)).Message);
}
