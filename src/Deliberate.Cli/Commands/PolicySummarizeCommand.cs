using System.CommandLine;
using System.Globalization;
using Deliberate.Cli.Interaction;
using Deliberate.Endpoints.Models;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Commands;

/// <summary><c>policy summarize</c>: has a model condense each category for the specifications of the others.</summary>
internal sealed class PolicySummarizeCommand : Command
{
    private readonly Argument<string> _folder = new("FOLDER") { Description = "The policy." };
    private readonly Option<int> _tokens = OptionsOf.Number("--tokens", "Most tokens of a summary.", 10, 80);
    private readonly AskedModel _model;
    private readonly Terminal _terminal;

    public PolicySummarizeCommand(Terminal terminal, Func<ModelSettings, IChatClient>? open = null)
        : base("summarize", "Have a model condense each category to a few sentences, kept in the policy's folder for you to edit. Asks only for those that are missing or out of date.")
    {
        _terminal = terminal;
        Arguments.Add(_folder);
        Options.Add(_tokens);
        _model = new(this, "summarize", open);
        SetAction(RunAsync);
    }

    private Task<int> RunAsync(ParseResult parse, CancellationToken cancel) => _model.UseAsync(parse, _terminal, 0, async (client, options) =>
    {
        var folder = parse.GetRequiredValue(_folder);
        var summaries = await new CategorySummaries(client, parse.GetValue(_tokens), options).WriteAsync(Policy.Load(folder), cancellationToken: cancel);
        Facts.Write(_terminal, [.. summaries.Select(summary => (summary.Category, Told(summary)))]);
        foreach (var summary in summaries)
            if (summary.Note is { } note) _terminal.Note(note);
        _terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{Path.Combine(folder, CategorySummaries.FolderName)}: the policy's hash is now {Policy.Load(folder).Hash}"));
        return summaries.Any(summary => summary.State == SummaryState.Missing) ? ExitCodes.Failure : ExitCodes.Success;
    });

    private static string Told(CategorySummary summary) => summary.State switch
    {
        SummaryState.Kept => "kept",
        SummaryState.Written => "written",
        SummaryState.Rewritten => "written anew, as the category has changed",
        SummaryState.Edited => "edited by hand, kept",
        SummaryState.EditedBeforeChange => "edited by hand before the category changed, kept",
        _ => "missing",
    };
}
