using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Cli.Commands;

/// <summary><c>policy check</c>: what is wrong or doubtful in a policy, by file and line.</summary>
internal sealed class PolicyCheckCommand : Command
{
    private readonly Argument<string> _folder = new("FOLDER") { Description = "The policy." };
    private readonly Terminal _terminal;

    public PolicyCheckCommand(Terminal terminal) : base("check", "Print what is wrong or doubtful in a policy, as FILE:LINE: severity: message. Ends with 1 when there are errors.")
    {
        _terminal = terminal;
        Arguments.Add(_folder);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        var folder = parse.GetRequiredValue(_folder);
        var findings = PolicyLint.Check(folder).ToList();
        if (findings.All(finding => finding.Severity != PolicySeverity.Error)) findings.AddRange([.. Summaries(folder), .. ReadByTheMiniature(folder)]);
        foreach (var finding in findings) _terminal.Results.WriteLine(finding);
        int Count(PolicySeverity severity) => findings.Count(finding => finding.Severity == severity);
        var errors = Count(PolicySeverity.Error);
        _terminal.Note(findings.Count == 0 ? $"{folder}: nothing to mend." : $"{folder}: {errors} errors, {Count(PolicySeverity.Warning)} warnings, {Count(PolicySeverity.Hint)} hints");
        return errors == 0 ? ExitCodes.Success : ExitCodes.Failure;
    }

    // Condensed summaries are optional; where some were written, the others are missed.
    private static IEnumerable<PolicyFinding> Summaries(string folder) => !Directory.Exists(Path.Combine(folder, CategorySummaries.FolderName)) ? []
        : CategorySummaries.Load(Policy.Load(folder)).Where(summary => summary.Note is not null).Select(summary => new PolicyFinding(PolicySeverity.Warning, summary.File, 0, summary.Note![(summary.File.Length + 2)..]));

    // A policy may be sound and yet speak of nothing that the miniature's world has: that matters to those who align the miniature only.
    private static IReadOnlyList<PolicyFinding> ReadByTheMiniature(string folder)
    {
        var doubts = new List<string>();
        try
        {
            PolicyReading.Read(Policy.Load(folder), doubts);
        }
        catch (PolicyException problem)
        {
            return [new(PolicySeverity.Warning, problem.File, problem.Line, $"the miniature cannot be aligned to it: {problem.Problem}")];
        }

        return [.. doubts.Select(doubt => new PolicyFinding(PolicySeverity.Hint, folder, 0, $"as the miniature reads it, {doubt}"))];
    }
}
