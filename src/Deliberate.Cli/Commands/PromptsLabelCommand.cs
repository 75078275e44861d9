using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Deliberate.Cli.Interaction;
using Deliberate.Endpoints.Models;
using Deliberate.Evaluation;
using Deliberate.Pipeline;
using Deliberate.Policies;
using Deliberate.Prompts;
using Deliberate.Runs;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Commands;

/// <summary><c>prompts label</c>: which of a policy's categories prompts belong to, and how well that agrees with the categories that their files give.</summary>
internal sealed class PromptsLabelCommand : Command
{
    private const int AtOnce = 1000;
    private readonly Option<string> _policy = new("--policy") { HelpName = "FOLDER", Description = "The policy.", Required = true };
    private readonly PromptFiles _files;
    private readonly AskedModel _model;
    private readonly Terminal _terminal;

    public PromptsLabelCommand(Terminal terminal, Func<ModelSettings, IChatClient>? open = null)
        : base("label", "Have a model say which of the policy's categories each prompt belongs to: any number, or none.")
    {
        _terminal = terminal;
        _files = new(this);
        Options.Add(_policy);
        _model = new(this, "label", open);
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parse, CancellationToken cancel) => _model.UseAsync(parse, _terminal, 0, async (client, options) =>
    {
        var policy = Policy.Load(parse.GetRequiredValue(_policy));
        var labeller = new CategoryLabeller(client, policy, options);
        var (counts, reasons, given) = (new SortedDictionary<string, int>(StringComparer.Ordinal), new SortedDictionary<string, int>(StringComparer.Ordinal), new List<(IReadOnlyCollection<string>, CategoryLabels)>());
        var prompts = 0;
        await using (var view = ProgressView.Over(_terminal)) await JsonLines.WriteAsync(_files.Out(parse), Rows(view), cancel);
        if (prompts == 0) throw new InvalidDataException("There is no prompt in these files.");
        Facts.Write(_terminal, [.. Told(policy)]);
        _terminal.Note($"{_files.Out(parse)}: {prompts} prompts");
        return ExitCodes.Success;

        async IAsyncEnumerable<JsonObject> Rows(ProgressView view)
        {
            await foreach (var part in _files.PartsAsync(parse, AtOnce, cancel))
            {
                var before = prompts;
                var labels = await labeller.LabelAsync([.. part.Select(source => source.Prompt)], null, new Counter(done => view.Report(new("label", null, before + done, before + part.Count, "prompts"))), cancel);
                foreach (var (source, label) in part.Zip(labels))
                {
                    prompts++;
                    if (!label.IsLabelled) reasons[label.Problem!] = reasons.GetValueOrDefault(label.Problem!) + 1;
                    else foreach (var category in label.Categories.DefaultIfEmpty("none")) counts[category] = counts.GetValueOrDefault(category) + 1;
                    if (Given(policy, source) is { } known) given.Add((known, label));
                    yield return PromptRecord.Of(source, label);
                }
            }
        }

        IEnumerable<(string, string)> Told(Policy policy)
        {
            static string Text(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
            foreach (var (category, count) in counts) yield return (category, Text(count));
            foreach (var (reason, count) in reasons) yield return ("unlabelled", $"{Text(count)}  {reason}");
            if (given.Count == 0) yield break;
            var agreement = LabelAgreement.Measure(given, [.. policy.Categories.Select(category => category.Id)], new Bootstrap(options.Seed));
            yield return ("as given", agreement.Exact.ToString());
            yield return ("kappa", agreement.Kappa.ToString());
            foreach (var category in agreement.Categories) yield return ($"  {category.Category}", $"precision {category.Precision}, recall {category.Recall}");
        }
    });

    // The categories that the file gives, when it gives them in the policy's words.
    private static List<string>? Given(Policy policy, SourcePrompt source)
    {
        if (source.Categories.Count == 0) return null;
        if (source.Categories is [var only] && only.Equals("none", StringComparison.OrdinalIgnoreCase)) return [];
        var found = source.Categories.Select(name => policy.FindCategory(name)?.Id).ToArray();
        return found.Contains(null) ? null : [.. found.OfType<string>()];
    }
}
