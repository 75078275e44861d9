using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Inference.Models;
using Deliberate.Pipeline;

namespace Deliberate.Cli.Commands;

/// <summary><c>model abilities</c>: measure what alignment needs of a base model, on random policies that it has never seen.</summary>
internal sealed class ModelAbilitiesCommand : Command
{
    private readonly Option<string> _model = new("--model") { HelpName = "FOLDER", Description = "The base model. [default: models/miniature, which is shipped]" };
    private readonly Option<int> _requests = OptionsOf.Number("--requests", "Requests of each kind of test.", 20, 500);
    private readonly Option<int> _seed = OptionsOf.Number("--seed", "The seed of the policies and requests.", 0, Pretraining.MeasureSeed);
    private readonly Terminal _terminal;

    public ModelAbilitiesCommand(Terminal terminal) : base("abilities", "Measure a base model: does it follow, judge by and, without one, help under policies that it has never seen?")
    {
        _terminal = terminal;
        foreach (var option in (Option[])[_model, _requests, _seed]) Options.Add(option);
        SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel), cancel));
    }

    private int Run(ParseResult parse, CancellationToken cancel)
    {
        var model = ModelFolder.Load(parse.GetValue(_model) ?? ShippedModel.Folder);
        _terminal.Results.WriteLine($"model {model.Path}, fingerprint {model.Fingerprint}");
        Pretraining.Measure(model, parse.GetValue(_requests), parse.GetValue(_seed), _terminal.Results.WriteLine, cancel);
        return ExitCodes.Success;
    }
}
