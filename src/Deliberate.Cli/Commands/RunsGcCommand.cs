using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Policies;
using Deliberate.Runs.Store;

namespace Deliberate.Cli.Commands;

/// <summary><c>runs gc</c>: delete runs and stale responses.</summary>
internal sealed class RunsGcCommand : Command
{
    private readonly Argument<string[]> _runs = new("RUN") { Description = "Runs to delete, with the responses that no other run uses.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string> _store = RunsCommand.StoreOption();
    private readonly Option<string> _policy = new("--stale") { HelpName = "FOLDER", Description = "Also delete the responses, of any run, that are stale under the policy in this folder." };
    private readonly Option<bool> _apply = new("--apply") { Description = "Delete. Without it, only say what would be deleted." };
    private readonly Terminal _terminal;

    public RunsGcCommand(Terminal terminal) : base("gc", "Say what deleting runs or stale responses would free; with --apply, delete it.")
    {
        _terminal = terminal;
        Arguments.Add(_runs);
        foreach (var option in (Option[])[_store, _policy, _apply]) Options.Add(option);
        Validators.Add(result =>
        {
            if (result.GetValue(_runs) is null or [] && result.GetValue(_policy) is null) result.AddError("gc takes the names of runs to delete, or --stale FOLDER, or both.");
        });
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var path = parse.GetRequiredValue(_store);
        var request = new CleaningRequest(parse.GetValue(_runs) ?? [], parse.GetValue(_policy) is { } folder ? new PresentState(Policy.Load(folder)) : null);
        // Read-only even before deleting: a mistyped name must not make an empty store.
        using (var store = ResponseStore.OpenReadOnly(path))
        {
            var plan = StoreCleaning.Plan(store, request);
            if (!parse.GetValue(_apply))
            {
                _terminal.Results.WriteLine($"would delete {RunsText.Of(plan)}");
                _terminal.Note("Nothing was deleted. Add --apply to delete.");
                return ExitCodes.Success;
            }
        }

        cancel.ThrowIfCancellationRequested();
        using (var store = ResponseStore.Open(path)) _terminal.Results.WriteLine($"deleted {RunsText.Of(await StoreCleaning.ApplyAsync(store, request))}");
        StoreCleaning.Compact(path);
        return ExitCodes.Success;
    }
}
