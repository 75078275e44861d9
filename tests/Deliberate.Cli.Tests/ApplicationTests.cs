using Xunit;

namespace Deliberate.Cli.Tests;

public class ApplicationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<(int Code, Streams Streams)> RunAsync(params string[] args)
    {
        var streams = new Streams();
        return (await new Application(streams.Terminal()).RunAsync(args, Token), streams);
    }

    [Fact]
    public async Task No_arguments_print_help_with_every_command()
    {
        var (code, streams) = await RunAsync();
        Assert.Equal(ExitCodes.Success, code);
        Assert.Empty(streams.Notes);
        Assert.All(["run", "generate", "judge", "distill", "sft", "rl", "eval", "report", "whatif", "chat", "policy", "runs", "pretrain", "model"],
            name => Assert.Contains($"\n  {name} ", streams.Results, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("rum", "'rum'")]
    [InlineData("run --sed 3", "'--sed'")]
    [InlineData("run --seed three", "--seed takes a whole number of at least 0; 'three' is not.")]
    [InlineData("run --seed -1", "'-1' is not.")]
    [InlineData("run --seed 99999999999", "'99999999999' is not.")]
    [InlineData("run --budget tiny", "--budget is one of small, default; 'tiny' is not.")]
    [InlineData("run --arms sft,nonsense", "'nonsense' is no arm; known: base, base+policy, instant-refusal, sft, rl-only, sft+rl.")]
    [InlineData("run --arms ,", "names no arm")]
    [InlineData("run --arms", "--arms")]
    [InlineData("whatif --action refuse", "'--clause'")]
    [InlineData("whatif --clause T1", "'--action'")]
    [InlineData("whatif --clause T1 --action forbid", "--action is one of comply, refuse, safe-complete; 'forbid' is not.")]
    [InlineData("chat", "either --run FOLDER or --model MODEL")]
    [InlineData("chat --run a --model b", "either --run FOLDER or --model MODEL")]
    [InlineData("chat --run a --policy b", "--policy goes with --model")]
    [InlineData("chat --run a --arm nonsense", "'nonsense' is no arm")]
    [InlineData("policy", "Required command")]
    [InlineData("policy show", "Required argument")]
    [InlineData("policy show folder --budget 0", "--budget takes a whole number of at least 1")]
    [InlineData("runs", "Required command")]
    [InlineData("runs show", "Required argument")]
    [InlineData("runs diff one", "Required argument")]
    [InlineData("runs gc", "gc takes the names of runs to delete, or --stale FOLDER, or both.")]
    [InlineData("runs show a --failures many", "--failures takes a whole number of at least 0")]
    [InlineData("pretrain", "'--out'")]
    [InlineData("pretrain --out x --minutes 0", "--minutes takes a number of minutes above 0")]
    public async Task A_wrong_command_line_gives_one_line_and_two(string line, string expected)
    {
        var (code, streams) = await RunAsync(line.Split(' '));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Empty(streams.Results);
        var error = Assert.Single(streams.NoteLines);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Contains("--help'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("policy show")]
    [InlineData("run --policy")]
    public async Task A_policy_that_is_not_there_gives_one_line_and_two(string command)
    {
        var folder = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        var (code, streams) = await RunAsync([.. command.Split(' '), folder]);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(folder, Assert.Single(streams.NoteLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_of_a_command_lists_its_options_even_beside_a_wrong_one()
    {
        var (code, streams) = await RunAsync("run", "--nonsense", "--help");
        Assert.Equal(ExitCodes.Success, code);
        Assert.All(["--policy <FOLDER>", "--seed <N>", "--out <FOLDER>", "--arms <A,B,...>", "--budget <small|default>", "--model <FOLDER>"],
            option => Assert.Contains(option, streams.Results, StringComparison.Ordinal));
    }

    [Fact]
    public void The_command_to_go_on_with_can_be_pasted_into_a_shell() =>
        Assert.Equal(@"deliberate run --arms sft,sft+rl --out 'my runs/it'\''s' ''", CommandLine.Text(["run", "--arms", "sft,sft+rl", "--out", "my runs/it's", ""]));
}
