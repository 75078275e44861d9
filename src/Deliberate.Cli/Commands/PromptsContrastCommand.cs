using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Deliberate.Cli.Interaction;
using Deliberate.Endpoints.Models;
using Deliberate.Pipeline;
using Deliberate.Prompts;
using Deliberate.Runs;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Commands;

/// <summary><c>prompts contrast</c>: prompts that look like harmful ones and are to be answered.</summary>
internal sealed class PromptsContrastCommand : Command
{
    private const int AtOnce = 1000;
    private static readonly Dictionary<string, ContrastKind> Known = Enum.GetValues<ContrastKind>().ToDictionary(ContrastPrompt.Name);

    private readonly Option<string[]> _kinds = new("--kind") { HelpName = string.Join('|', Known.Keys), Description = "What to write for each prompt. May be given several times. [default: all]" };
    private readonly PromptFiles _files;
    private readonly AskedModel _model;
    private readonly Terminal _terminal;

    public PromptsContrastCommand(Terminal terminal, Func<ModelSettings, IChatClient>? open = null)
        : base("contrast", "Have a model write prompts that look like harmful ones and are to be answered, so that a model is trained against refusing too much.")
    {
        _terminal = terminal;
        _files = new(this);
        Options.Add(_kinds);
        _model = new(this, "contrast", open);
        Validators.Add(result =>
        {
            foreach (var kind in result.GetValue(_kinds) ?? [])
                if (!Known.ContainsKey(kind)) result.AddError($"--kind is one of {string.Join(", ", Known.Keys)}; '{kind}' is not.");
        });
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parse, CancellationToken cancel) => _model.UseAsync(parse, _terminal, 0.7, async (client, options) =>
    {
        ContrastKind[] kinds = parse.GetValue(_kinds) is { Length: > 0 } named ? [.. named.Distinct().Select(kind => Known[kind])] : [.. Known.Values];
        var writer = new ContrastWriter(client, options);
        var (written, reasons) = (new SortedDictionary<string, int>(StringComparer.Ordinal), new SortedDictionary<string, int>(StringComparer.Ordinal));
        var prompts = 0;
        await using (var view = ProgressView.Over(_terminal)) await JsonLines.WriteAsync(_files.Out(parse), Rows(view), cancel);
        if (prompts == 0) throw new InvalidDataException("There is no prompt in these files.");
        string Text(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
        Facts.Write(_terminal, [.. written.Select(entry => (entry.Key, Text(entry.Value))), .. reasons.Select(entry => ("none", $"{Text(entry.Value)}  {entry.Key}"))]);
        _terminal.Note($"{_files.Out(parse)}: {Text(written.Values.Sum())} contrast prompts to {Text(prompts)} prompts. That they are harmless is not known yet: label them, or look them over.");
        return ExitCodes.Success;

        async IAsyncEnumerable<JsonObject> Rows(ProgressView view)
        {
            await foreach (var part in _files.PartsAsync(parse, AtOnce, cancel))
            {
                var before = prompts * kinds.Length;
                var sources = part.ToDictionary(source => source.Prompt.Id, source => source.Prompt);
                var progress = new Counter(done => view.Report(new("contrast", null, before + done, before + (part.Count * kinds.Length), "prompts")));
                foreach (var contrast in await writer.WriteAsync([.. sources.Values], kinds, null, progress, cancel))
                {
                    var (count, name) = contrast.Prompt is null ? (reasons, contrast.Problem!) : (written, ContrastPrompt.Name(contrast.Kind));
                    count[name] = count.GetValueOrDefault(name) + 1;
                    if (contrast.Prompt is not null) yield return PromptRecord.Of(contrast, sources[contrast.Source]);
                }

                prompts += part.Count;
            }
        }
    });
}
