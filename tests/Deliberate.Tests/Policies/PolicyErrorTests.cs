using Deliberate.Policies;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Policies;

/// <summary>Every error names its file and line, what is wrong and how to mend it.</summary>
public class PolicyErrorTests
{
    [Theory]
    [InlineData("- T1 Poems: rhymes.", 7, "has no code")]
    [InlineData("- Poems: rhymes.", 7, "'Poems: rhymes.' has no code")]
    [InlineData("- **t1** Poems: rhymes.", 7, "has no code")]
    [InlineData("- **ABCDE1** Poems: rhymes.", 7, "has no code")]
    [InlineData("Poems are fine.", 7, "is no clause")]
    [InlineData("### Poems\n- **T1** Poems.", 7, "is no clause")]
    [InlineData("- **T1**", 7, "clause T1 says nothing")]
    [InlineData("- **T1** Poems.\n\n- **T1** Stories.", 9, "code T1 is already that of the clause at rules/theft.md:7")]
    [InlineData("- **T1** Poems. Unless the user is a nurse.", 7, "the exception 'Unless the user is a nurse' names no action")]
    [InlineData("- **T1** Poems. Unless the user is a nurse: maybe.", 7, "names no action")]
    [InlineData("- **T1** Poems. Except for nurses.", 7, "the exception 'Except for nurses' names no action")]
    [InlineData("- **T1** Poems. Unless: comply.", 7, "names no action")]
    [InlineData("- **T1** Poems: only for nurses, else perhaps.", 7, "'perhaps' after 'else' is no action")]
    [InlineData("- **T1** Poems. Unless a: comply. Unless b: refuse.", 7, "two exceptions")]
    [InlineData("- **T1** Unless the user is a nurse: refuse.", 7, "nothing but an exception")]
    [InlineData("- **T1** Poems.\n\n## Maybe", 9, "unknown section 'Maybe'; known are Terms, Allowed, Disallowed and Safe completion")]
    [InlineData("- **T1** Poems.\n\n## Allowed", 9, "section 'Allowed' stands here again, first at line 5")]
    [InlineData("- **T1** Poems.\n\n# Again", 9, "a second title 'Again'")]
    [InlineData("- **T1** Poems.\n\n##", 9, "a section without a name")]
    [InlineData("- **T1** Poems.\n\n## Terms\n\nNo term", 11, "this is no term")]
    [InlineData("- **T1** Poems.\n\n## Terms\n\n- no term", 11, "this is no term")]
    [InlineData("- **T1** Poems.\n<!-- a note", 8, "the comment does not end")]
    [InlineData("", 1, "the category has no clause")]
    public void In_a_category(string clauses, int line, string problem) => Fails(Written.Files(theft: Written.Clauses(clauses)), "theft.md", line, problem);

    [Theory]
    [InlineData("", 1, "there is no title")]
    [InlineData("Text first.\n\n# Title", 3, "the title comes after other text")]
    [InlineData("# Title\n\n## Prinzipien", 3, "unknown section 'Prinzipien'; known are Principles, Refusal style, Safe-completion style and Precedence")]
    [InlineData("# Title\n\n## Refusal style: a\n\nx\n\n## Refusal style: b", 7, "stands here again, first at line 3")]
    [InlineData("# Title\n\n## Principles\n\n### Good", 5, "a heading 'Good' among the principles")]
    public void In_the_main_file(string main, int line, string problem) => Fails(Written.Files(main), "policy.md", line, problem);

    [Fact]
    public void Clauses_before_a_section() => Fails(Written.Files(theft: "# Theft\n\n- **T1** Poems.\n"), "theft.md", 3, "stands in the summary");

    [Fact]
    public void One_code_in_two_files_names_both_places() =>
        Fails(Written.Files(pets: Written.Pets.Replace("P1", "T3")), "theft.md", 19, "code T3 is already that of the clause at rules/pets.md:7");

    [Fact]
    public void A_folder_without_what_it_needs()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal($"{folder["none"]}: there is no such folder; give the folder that holds policy.md and a file for each category", Assert.Throws<PolicyException>(() => Policy.Load(folder["none"])).Message);
        Assert.StartsWith($"{folder.Path}: there is no policy.md", Assert.Throws<PolicyException>(() => Policy.Load(folder.Path)).Message);
        File.WriteAllText(folder["policy.md"], "# Title");
        Assert.Contains("the policy has no category", Assert.Throws<PolicyException>(() => Policy.Load(folder.Path)).Message);
    }

    [Fact]
    public void Files_that_are_no_text()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, text) in Written.Files()) File.WriteAllText(folder[name], text);
        File.WriteAllBytes(folder["theft.md"], [0xff, 0xfe, 0x00]);
        Assert.Equal($"{folder["theft.md"]}: the file is not UTF-8 text; save it as UTF-8", Assert.Throws<PolicyException>(() => Policy.Load(folder.Path)).Message);
        File.WriteAllText(folder["theft.md"], new string('x', (1 << 20) + 1));
        Assert.Contains("larger than 1 MiB", Assert.Throws<PolicyException>(() => Policy.Load(folder.Path)).Message);
        File.WriteAllText(folder["theft.md"], Written.Theft);
        File.WriteAllBytes(folder["policy.md"], [0xff]);
        Assert.Contains("not UTF-8", Assert.Throws<PolicyException>(() => Policy.Load(folder.Path)).Message);
    }

    private static void Fails(Dictionary<string, string> files, string file, int line, string problem)
    {
        var exception = Assert.Throws<PolicyException>(() => Policy.Parse(files, "rules"));
        Assert.Equal((Path.Combine("rules", file), line), (exception.File, exception.Line));
        Assert.StartsWith($"{Path.Combine("rules", file)}:{line}: ", exception.Message);
        Assert.Contains(problem, exception.Message);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
