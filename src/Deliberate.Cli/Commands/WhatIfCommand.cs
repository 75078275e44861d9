using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Evaluation;
using Deliberate.Pipeline;
using Deliberate.Policies;
using Deliberate.Reports;

namespace Deliberate.Cli.Commands;

/// <summary><c>whatif</c>: change what one clause demands, align again, and see what moved.</summary>
internal sealed class WhatIfCommand : Command, IResumable
{
    private static readonly Dictionary<string, PolicyAction> Actions = Enum.GetValues<PolicyAction>().ToDictionary(action => action.ToText());

    private readonly Option<string> _clause = new("--clause") { HelpName = "CODE", Description = "The clause to change, by its code.", Required = true };
    private readonly Option<PolicyAction> _action = OptionsOf.Choice("--action", "What it shall demand instead.", Actions);
    private readonly AlignmentArguments _arguments;
    private readonly Terminal _terminal;

    public WhatIfCommand(Terminal terminal) : base("whatif", "Change what one clause demands, align again, and report how the affected and the unaffected requests moved.")
    {
        _action.Required = true;
        Options.Add(_clause);
        Options.Add(_action);
        (_terminal, _arguments) = (terminal, new(this));
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public string KeptIn(ParseResult parse) => _arguments.Read(parse).Out;

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var options = _arguments.Read(parse);
        var (clause, action) = (parse.GetRequiredValue(_clause), parse.GetRequiredValue(_action));
        WhatIfReport report;
        await using (var progress = ProgressView.Over(_terminal)) report = await WhatIf.RunAsync(options, clause, action, progress, cancel);
        _terminal.Results.WriteLine($"If {clause} demanded: {action.ToText()}");
        Facts.Write(_terminal, [("affected requests follow the new clause", Told(report.Affected)), ("unaffected requests stay as they were", Told(report.Unaffected))]);
        _terminal.Results.WriteLine($"report: {Path.Combine(options.Out, "whatif.json")}");
        return ExitCodes.Success;
    }

    private static string Told(Metric metric) => metric.ToString();
}
