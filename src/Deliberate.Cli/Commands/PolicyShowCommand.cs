using System.CommandLine;
using System.Globalization;
using Deliberate.Cli.Interaction;
using Deliberate.Policies;
using Spectre.Console;

namespace Deliberate.Cli.Commands;

/// <summary><c>policy show</c>: an overview of a policy, or the part of it that a model sees for one category.</summary>
internal sealed class PolicyShowCommand : Command
{
    /// <summary>Tokens of a spec when the command line does not say.</summary>
    public const int DefaultTokens = 4096;

    private readonly Argument<string> _folder = new("FOLDER") { Description = "The policy." };
    private readonly Option<string> _category = new("--category") { HelpName = "C", Description = "Print spec(C): what a model sees of the policy for this category." };
    private readonly Option<int> _budget = OptionsOf.Number("--budget", "Print the spec within this many tokens.", 1, DefaultTokens);
    private readonly Terminal _terminal;

    public PolicyShowCommand(Terminal terminal) : base("show", "Print an overview of a policy; with --category or --budget, the spec that a model gets to see.")
    {
        _terminal = terminal;
        Arguments.Add(_folder);
        Options.Add(_category);
        Options.Add(_budget);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        var policy = Policy.Load(parse.GetRequiredValue(_folder));
        var (category, budgetGiven) = (parse.GetValue(_category), parse.GetResult(_budget) is { Implicit: false });
        if (category is not null || budgetGiven) _terminal.Results.WriteLine(policy.Spec(category, parse.GetValue(_budget)).Text);
        else Overview(policy);
        return ExitCodes.Success;
    }

    private void Overview(Policy policy)
    {
        _terminal.Results.WriteLine($"{policy.Title}  (hash {policy.Hash})");
        Facts.Write(_terminal, [("refuses with", Named(policy.Refusal)), ("safe-completes with", Named(policy.SafeCompletion))]);
        var table = new Table { Border = _terminal.ResultsStyled ? TableBorder.Rounded : TableBorder.None };
        table.AddColumns("category", "title").AddColumns([.. Enum.GetValues<PolicyAction>().Select(action => action.ToText())]);
        foreach (var category in policy.Categories)
            table.AddRow([Markup.Escape(category.Id), Markup.Escape(category.Title), .. Enum.GetValues<PolicyAction>().Select(action => Codes(category, action))]);
        _terminal.ResultsConsole().Write(table);
        _terminal.Results.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{policy.Categories.Count} categories, {policy.Clauses.Count()} clauses"));
    }

    private static string Named(StyleGuide style) => style.Name.Length > 0 ? style.Name : "no style is named";

    private static string Codes(Category category, PolicyAction action) =>
        Markup.Escape(string.Join(' ', category.Clauses.Where(clause => clause.Action == action).Select(clause => clause.Code)));
}
