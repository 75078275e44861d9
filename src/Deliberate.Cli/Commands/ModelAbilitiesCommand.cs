using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Evaluation;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Miniature.Pretraining;
using Deliberate.Pipeline;

namespace Deliberate.Cli.Commands;

/// <summary><c>model abilities</c>: measure what alignment needs of a base model, on random policies that it has never seen.</summary>
internal sealed class ModelAbilitiesCommand : Command
{
    private const int JudgeRuns = 4;

    private readonly Option<string> _model = new("--model") { HelpName = "FOLDER", Description = "The base model. [default: models/miniature, which is shipped]" };
    private readonly Option<int> _requests = OptionsOf.Number("--requests", "Requests of each kind of test.", 20, 500);
    private readonly Option<int> _seed = OptionsOf.Number("--seed", "The seed of the policies and requests.", 0, 1);
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
        using var generator = new Generator(model.Weights);
        var (abilities, requests) = (new BaseAbilities(generator, model.Tokenizer, parse.GetValue(_seed)), parse.GetValue(_requests));
        _terminal.Results.WriteLine($"model {model.Path}, fingerprint {model.Fingerprint}");
        foreach (var (title, measure) in new (string, Func<IReadOnlyDictionary<string, Metric>>)[]
        {
            ("follows a policy in its context", () => abilities.Follow(requests)),
            ("judges by a policy in its context", () => abilities.Judge(Math.Max(1, requests / 7), JudgeRuns)),
            ("helps when there is no policy", () => abilities.Help(requests)),
        })
        {
            cancel.ThrowIfCancellationRequested();
            _terminal.Note($"measuring: {title}");
            var metrics = measure();
            _terminal.Results.WriteLine($"\n{title}");
            Facts.Write(_terminal, [.. metrics.Select(metric => ($"  {metric.Key}", metric.Value.ToString()))]);
        }

        return ExitCodes.Success;
    }
}
