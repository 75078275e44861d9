using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Pipeline;

namespace Deliberate.Cli.Commands;

/// <summary><c>pretrain</c>: make a base model like the shipped one.</summary>
internal sealed class PretrainCommand : Command, IResumable
{
    private readonly Option<string> _out = new("--out") { HelpName = "FOLDER", Description = "Where the finished model goes; checkpoints go to FOLDER.work.", Required = true };
    private readonly Option<double> _minutes = OptionsOf.Minutes("--minutes", "Training time, over all its parts.", 46);
    private readonly Option<int> _seed = OptionsOf.Number("--seed", "The seed of all randomness.", 0, 1);
    private readonly Terminal _terminal;

    public PretrainCommand(Terminal terminal) : base("pretrain", "Pretrain a base model like the shipped one: it helps, knows no policy, and follows and judges by any in its context.")
    {
        _terminal = terminal;
        foreach (var option in (Option[])[_out, _minutes, _seed]) Options.Add(option);
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public string KeptIn(ParseResult parse) => Work(parse);

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var options = new PretrainingOptions
        {
            Out = parse.GetRequiredValue(_out),
            Work = Work(parse),
            ReservedPolicies = ShippedModel.Find("policies") is { } shipped ? [.. Directory.GetDirectories(shipped).Order(StringComparer.Ordinal)] : [],
            Minutes = parse.GetValue(_minutes),
            Seed = parse.GetValue(_seed),
        };
        // A thread of its own: the training library keeps state by thread.
        await Task.Factory.StartNew(() => Pretraining.Run(options, _terminal.Note, cancel), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _terminal.Results.WriteLine($"model: {options.Out}");
        return ExitCodes.Success;
    }

    private string Work(ParseResult parse) => Path.TrimEndingDirectorySeparator(parse.GetRequiredValue(_out)) + ".work";
}
