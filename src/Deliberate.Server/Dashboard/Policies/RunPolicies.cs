using Deliberate.Policies;
using Deliberate.Reports;
using Deliberate.Server.Dashboard.Runs;

namespace Deliberate.Server.Dashboard.Policies;

/// <summary>Finds the policies of runs. Thread-safe.</summary>
internal sealed class RunPolicies(DashboardOptions options, RunsFolder runs)
{
    /// <summary>The policy of a run as it was then: only one with the run's hash counts. Null when none is found.</summary>
    public Policy? Find(RunPlace run)
    {
        if (run.Manifest?.PolicyHash is not { } hash) return null;
        foreach (var folder in options.PolicyFolders.Prepend(run.PolicyFolder).OfType<string>())
            if (Load(folder) is { } policy && policy.Hash == hash) return policy;
        return null;
    }

    /// <summary>The policy of this hash, of the folders that were named or of a run; null when none of them has it.</summary>
    public Policy? Find(string hash) =>
        options.PolicyFolders.Select(Load).FirstOrDefault(policy => policy?.Hash == hash)
        ?? runs.List().Where(run => run.Manifest?.PolicyHash == hash).Select(Find).FirstOrDefault(policy => policy is not null);

    /// <summary>The clauses of a run's policy: of its report, else of the policy; none when neither is there.</summary>
    public IReadOnlyList<ReportClause> Clauses(RunPlace run) => run.Report is { Clauses.Count: > 0 } report ? report.Clauses
        : Find(run) is { } policy ? Clauses(policy) : [];

    /// <summary>The clauses of a policy.</summary>
    public static IReadOnlyList<ReportClause> Clauses(Policy policy) =>
        [.. policy.Categories.SelectMany(category => category.Clauses.Select(clause => new ReportClause(clause.Code, category.Title, clause.Action.ToText(), clause.Text)))];

    private static Policy? Load(string folder)
    {
        try
        {
            return Directory.Exists(folder) ? Policy.Load(folder) : null;
        }
        catch (Exception problem) when (problem is PolicyException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
