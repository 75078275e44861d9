using CsCheck;
using Deliberate.Policies;
using Deliberate.Tests.Conversations;
using Deliberate.Tests.Prompts;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Policies;

public sealed class CategorySummariesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private readonly FakeClient _client = new((messages, _) => messages[^1].Text.Contains("# Theft", StringComparison.Ordinal) ? "**Summary:** Taking things;\nstories are fine." : "Animals. All is fine.");

    public CategorySummariesTests()
    {
        foreach (var (name, text) in Written.Files()) File.WriteAllText(_folder[name], text);
    }

    public void Dispose() => _folder.Dispose();

    private Task<IReadOnlyList<CategorySummary>> WriteAsync(int tokens = 80) => new CategorySummaries(_client, tokens).WriteAsync(Policy.Load(_folder.Path), cancellationToken: Shared.Token);

    private string Kept(string name) => Path.Combine(_folder.Path, CategorySummaries.FolderName, name);

    private void Edit(string name, string from, string to) => File.WriteAllText(name, File.ReadAllText(name).Replace(from, to));

    private static string States(IEnumerable<CategorySummary> summaries) => string.Join(' ', summaries.Select(summary => $"{summary.Category}:{summary.State}"));

    [Fact]
    public async Task Summaries_are_written_once_and_shown_in_other_specifications()
    {
        var policy = Policy.Load(_folder.Path);
        Assert.Equal("pets:Missing theft:Missing", States(CategorySummaries.Load(policy)));
        var summaries = await WriteAsync();
        Assert.Equal("pets:Written theft:Written", States(summaries));
        Assert.Equal(["Animals. All is fine.", "Taking things; stories are fine."], summaries.Select(summary => summary.Text));
        Assert.Equal("pets:Kept theft:Kept", States(await WriteAsync()));
        Assert.Equal(2, _client.Requests.Count);

        var condensed = Policy.Load(_folder.Path);
        Assert.Contains("- **Theft**: Taking things; stories are fine.", condensed.Spec("pets").Text);
        Assert.Contains("Taking what is not yours.", condensed.Spec("theft").Text);
        Assert.NotEqual(policy.Hash, condensed.Hash);
        Assert.True(PolicyDiff.Between(policy, condensed).TouchesAll);
    }

    [Fact]
    public async Task A_category_that_changed_is_asked_for_again_and_no_other()
    {
        await WriteAsync();
        Edit(_folder["theft.md"], "the past", "what was");
        Assert.Equal("pets:Kept theft:Missing", States(CategorySummaries.Load(Policy.Load(_folder.Path))));
        Assert.Equal("pets:Kept theft:Rewritten", States(await WriteAsync()));
        Edit(_folder["theft.md"], "fiction\n  over", "fiction over");
        Assert.Equal("pets:Kept theft:Kept", States(await WriteAsync()));
        Assert.Equal(3, _client.Requests.Count);
    }

    [Fact]
    public async Task An_edited_summary_stays_and_what_to_do_when_its_category_changes_is_said()
    {
        await WriteAsync();
        Edit(Kept("theft.md"), "stories are fine", "stories and history are fine");
        Assert.Equal("pets:Kept theft:Edited", States(await WriteAsync()));
        Edit(_folder["theft.md"], "the past", "what was");
        var summary = (await WriteAsync())[1];
        Assert.Equal((SummaryState.EditedBeforeChange, "Taking things; stories and history are fine."), (summary.State, summary.Text));
        Assert.StartsWith($"{Kept("theft.md")}: was edited, and theft.md has changed since; look it over and put 'source ", summary.Note);
        Assert.Equal(2, _client.Requests.Count);

        // As the note says.
        var key = System.Text.RegularExpressions.Regex.Match(summary.Note!, "source [0-9a-f]{16}").Value;
        File.WriteAllText(Kept("theft.md"), System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(Kept("theft.md")), "source [0-9a-f]{16}", key));
        Assert.Equal("pets:Kept theft:Edited", States(await WriteAsync()));
        File.Delete(Kept("theft.md"));
        Assert.Equal("pets:Kept theft:Written", States(await WriteAsync()));
    }

    [Fact]
    public async Task A_summary_that_somebody_wrote_alone_stays()
    {
        Directory.CreateDirectory(_folder[CategorySummaries.FolderName]);
        File.WriteAllText(Kept("pets.md"), "My own words\non pets.\n");
        Assert.Equal("pets:Edited theft:Written", States(await WriteAsync()));
        Assert.Equal("My own words on pets.", CategorySummaries.Load(Policy.Load(_folder.Path))[0].Text);
    }

    [Fact]
    public async Task A_summary_over_the_budget_is_asked_for_shorter_and_then_left_out()
    {
        var summaries = await WriteAsync(tokens: 10);
        Assert.Equal("pets:Written theft:Written", States(summaries));
        File.Delete(Kept("pets.md"));
        var wordy = new FakeClient((_, _) => new string('x', 100));
        var summary = (await new CategorySummaries(wordy, 10).WriteAsync(Policy.Load(_folder.Path), cancellationToken: Shared.Token))[0];
        Assert.Equal((SummaryState.Missing, null), (summary.State, summary.Text));
        Assert.Contains("the reply has 25 tokens and the budget is 10", summary.Note);
        Assert.Equal(2, wordy.Requests.Count);
    }

    [Fact]
    public async Task A_failing_model_changes_nothing()
    {
        await WriteAsync();
        Edit(_folder["theft.md"], "the past", "what was");
        var before = File.ReadAllText(Kept("theft.md"));
        var down = new FakeClient((_, _) => throw new IOException("down"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => new CategorySummaries(down).WriteAsync(Policy.Load(_folder.Path), cancellationToken: Shared.Token));
        Assert.Equal(before, File.ReadAllText(Kept("theft.md")));
    }

    [Fact]
    public void No_file_breaks_the_reader_and_what_is_written_is_read_as_unedited()
    {
        var piece = Gen.OneOf(Gen.OneOf("<!--", "-->", "\n", "# ", "- ", "source 0123456789abcdef", ", written 0123456789abcdef", "```", "\"", "Summary: ", "\uFEFF", "\r\n"), Gen.String[0, 8]);
        var files = 0;
        Gen.Select(piece.Array[0, 12].Select(parts => string.Concat(parts)), Gen.String[0, 20]).Sample((text, model) =>
        {
            var path = _folder[$"{Interlocked.Increment(ref files)}.txt"];
            File.WriteAllText(path, text);
            SummaryFile.Read(path);
            var plain = SummaryFile.Plain(text);
            if (plain.Length == 0 || plain.Any(char.IsSurrogate)) return;
            new SummaryFile("a.md", plain, "0123456789abcdef", SummaryFile.Hash(plain), model).Write(path);
            var read = SummaryFile.Read(path)!;
            Assert.Equal((plain, "0123456789abcdef", false), (read.Text, read.Key, read.IsEdited));
            File.Delete(path);
        }, iter: 500);
        File.WriteAllBytes(_folder["x.txt"], [0xff]);
        Assert.Throws<PolicyException>(() => SummaryFile.Read(_folder["x.txt"]));
    }
}
