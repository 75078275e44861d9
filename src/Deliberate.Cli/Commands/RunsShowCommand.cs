using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Policies;
using Deliberate.Runs.Store;

namespace Deliberate.Cli.Commands;

/// <summary><c>runs show</c>: one run by stage, its failed calls, and what of it is stale.</summary>
internal sealed class RunsShowCommand : Command
{
    private readonly Argument<string> _run = new("RUN") { Description = "The run." };
    private readonly Option<string> _store = RunsCommand.StoreOption();
    private readonly Option<string> _policy = new("--policy") { HelpName = "FOLDER", Description = "Also print which responses are still valid under this policy." };
    private readonly Option<string> _judge = new("--judge") { HelpName = "MODEL", Description = "Also print which responses are still valid with this model as the judge, named as the store names it." };
    private readonly Option<int> _failures = OptionsOf.Number("--failures", "Print at most this many failed calls.", 0, 20);
    private readonly Terminal _terminal;

    public RunsShowCommand(Terminal terminal) : base("show", "Print one run by stage, with its failed calls; with --policy or --judge, what of it would be stale.")
    {
        _terminal = terminal;
        Arguments.Add(_run);
        foreach (var option in (Option[])[_store, _policy, _judge, _failures]) Options.Add(option);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        using var store = ResponseStore.OpenReadOnly(parse.GetRequiredValue(_store));
        var run = StoreSummary.Of(store).Find(parse.GetRequiredValue(_run));
        _terminal.Results.WriteLine(RunsText.Show(run, store.Failures(run.Run), parse.GetValue(_failures)));
        var (policy, judge) = (parse.GetValue(_policy), parse.GetValue(_judge));
        if (policy is null && judge is null) return ExitCodes.Success;
        var present = new PresentState(policy is null ? null : Policy.Load(policy), Models: judge is null ? null : new Dictionary<string, string> { ["judge"] = judge });
        _terminal.Results.WriteLine();
        _terminal.Results.WriteLine(RunsText.Of(Staleness.Of(store, present, run.Run)));
        return ExitCodes.Success;
    }
}
