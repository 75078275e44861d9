using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Deliberate.Cli.Interaction;
using Deliberate.Policies;
using Deliberate.Runs;

namespace Deliberate.Cli.Commands;

/// <summary><c>policy diff</c>: what two policies say differently, clause by clause, and which specifications that changes.</summary>
internal sealed class PolicyDiffCommand : Command
{
    private readonly Argument<string> _before = new("A") { Description = "The policy before." };
    private readonly Argument<string> _after = new("B") { Description = "The policy after." };
    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object instead." };
    private readonly Terminal _terminal;

    public PolicyDiffCommand(Terminal terminal) : base("diff", "Print which clauses, summaries and guidelines two policies have differently. Ends with 1 when there are any.")
    {
        _terminal = terminal;
        Arguments.Add(_before);
        Arguments.Add(_after);
        Options.Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        var (before, after) = (Policy.Load(parse.GetRequiredValue(_before)), Policy.Load(parse.GetRequiredValue(_after)));
        var diff = PolicyDiff.Between(before, after);
        if (parse.GetValue(_json)) WriteJson(diff);
        else Write(diff, after);
        return diff.IsEmpty ? ExitCodes.Success : ExitCodes.Failure;
    }

    private void Write(PolicyDiff diff, Policy after)
    {
        foreach (var part in diff.Guidelines) _terminal.Results.WriteLine($"~ policy.md: {part}");
        foreach (var change in diff.Categories) _terminal.Results.WriteLine($"{Mark(change.Kind)} {change.Category}{(change.Fields.Count > 0 ? $": {string.Join(", ", change.Fields)}" : "")}");
        foreach (var change in diff.Clauses)
        {
            _terminal.Results.WriteLine($"{Mark(change.Kind)} {change.Category} {change.Code}{(change.Fields.Count > 0 ? $": {string.Join(", ", change.Fields)}" : "")}");
            if (change.Before is { } old) _terminal.Results.WriteLine($"    - {Told(old)}");
            if (change.After is { } now) _terminal.Results.WriteLine($"    + {Told(now)}");
        }

        _terminal.Note(diff.IsEmpty ? $"no difference (hash {diff.After})" : string.Create(CultureInfo.InvariantCulture,
            $"{diff.Before} to {diff.After}: {diff.Clauses.Count} clauses differ; stale specifications: {(diff.TouchesAll ? "all" : string.Join(", ", after.Categories.Select(category => category.Id).Where(diff.IsStale).DefaultIfEmpty("none")))}"));
    }

    private void WriteJson(PolicyDiff diff) => _terminal.Results.WriteLine(JsonSerializer.Serialize(new
    {
        diff.Before,
        diff.After,
        diff.Guidelines,
        diff.Categories,
        Clauses = diff.Clauses.Select(change => new { change.Kind, change.Code, change.Category, change.Fields, Before = Part(change.Before), After = Part(change.After) }),
        diff.ChangedCategories,
        AllSpecificationsStale = diff.TouchesAll,
    }, RunJson.Options));

    private static object? Part(Clause? clause) => clause is null ? null : new { clause.Action, clause.Text, clause.Examples, clause.Exclusions, clause.Source };

    private static char Mark(ChangeKind kind) => kind switch { ChangeKind.Added => '+', ChangeKind.Removed => '-', _ => '~' };

    private static string Told(Clause clause) => $"{clause.Action.ToText()}: {clause.Text}";
}
