using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Cli.Tests;

public sealed class ExportCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("deliberate-test-").FullName;

    private static readonly Policy Rules = Policy.Parse(new Dictionary<string, string>
    {
        ["policy.md"] = "# Rules\n\n## Principles\n\n- Help first.\n",
        ["theft.md"] = "# Theft\n\nTaking what is not yours.\n\n## Disallowed\n\n- **T3** Instructions: never explain how a lock or an alarm can be beaten by a thief.\n",
    });

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Run()
    {
        var run = Path.Combine(_folder, "run");
        var spec = Rules.Spec("theft");
        JudgedSample Judged(string id, double score) => new(
            new Sample(new Prompt(id, Conversation.FromUser($"how to steal {id}?"), "theft"), 0, new Completion("By [T3] I refuse.", "Sorry."), new Provenance(Rules.Hash, "theft", "m", "f", 1, 0, 0)), spec, new Judgement([new Verdict(score, "r")]), null, "refuse");
        var result = new Distiller(new()).Distill([Judged("a", 1), Judged("b", 0.1)]);
        TrainingFile.Write(Path.Combine(run, "training.jsonl"), result.Kept);
        RejectedFile.Write(Path.Combine(run, "rejected.jsonl"), result.Rejected);
        return run;
    }

    private string PolicyFolder(Policy policy)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "policy-" + policy.Hash)).FullName;
        foreach (var (name, text) in policy.ToMarkdown()) File.WriteAllText(Path.Combine(folder, name), text);
        return folder;
    }

    private static async Task<(int Code, Streams Streams)> RunAsync(params string[] args)
    {
        var streams = new Streams();
        return (await new Application(streams.Terminal()).RunAsync(["export", .. args], TestContext.Current.CancellationToken), streams);
    }

    [Fact]
    public async Task Writes_the_data_and_a_card()
    {
        var (run, path) = (Run(), Path.Combine(_folder, "train.jsonl"));
        var (code, streams) = await RunAsync(run, "--format", "trl-prompt-completion", "--out", path);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Equal($"rows  1\nfile  {path}\nfile  {path}.card.md\n", streams.Results.ReplaceLineEndings("\n"));
        Assert.StartsWith("""{"prompt":[{"role":"user","content":"how to steal a?"}],"completion":""", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var card = await File.ReadAllTextAsync(path + ".card.md", TestContext.Current.CancellationToken);
        Assert.Contains("| theft | refuse | 2 | 1 | 50.0 % |", card, StringComparison.Ordinal);
        Assert.Contains("- trl-prompt-completion: `train.jsonl`", card, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_of_llama_factory_holds_its_card()
    {
        var (run, path) = (Run(), Path.Combine(_folder, "lf"));
        Assert.Equal(ExitCodes.Success, (await RunAsync(run, "--format", "llama-factory-alpaca", "--out", path, "--name", "ours")).Code);
        Assert.Equal(["data-card.md", "dataset_info.json", "ours.json"], Directory.EnumerateFiles(path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task The_teacher_of_sdft_sees_the_policy_of_the_run_and_no_other()
    {
        var (run, path) = (Run(), Path.Combine(_folder, "sdft.jsonl"));
        Assert.Equal(ExitCodes.Success, (await RunAsync(run, "--format", "trl-sdft", "--out", path, "--policy", PolicyFolder(Rules))).Code);
        Assert.Contains("\"privileged_context\":", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);

        var (code, streams) = await RunAsync(run, "--format", "trl-sdft", "--out", path, "--policy", PolicyFolder(Rules.WithClauseAction("T3", PolicyAction.Comply)));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains($"was written under {Rules.Hash}: give the policy of the run.", Assert.Single(streams.NoteLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--format verl", "'--out'")]
    [InlineData("--out x", "'--format'")]
    [InlineData("--format csv --out x", "--format is one of trl-messages, trl-prompt-completion, trl-sdft")]
    [InlineData("--format trl-sdft --out x", "give it with --policy")]
    [InlineData("--format verl --out x --name a/b", "--name takes letters, digits")]
    [InlineData("--format verl --out x", "training.jsonl: not there. Distil first")]
    public async Task A_wrong_command_line_gives_one_line_and_two(string line, string expected)
    {
        var (code, streams) = await RunAsync([Path.Combine(_folder, "nothing"), .. line.Split(' ')]);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(expected, Assert.Single(streams.NoteLines), StringComparison.Ordinal);
        Assert.False(Path.Exists("x"));
    }
}
