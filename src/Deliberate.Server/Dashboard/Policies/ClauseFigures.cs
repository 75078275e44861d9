using Deliberate.Evaluation;
using Deliberate.Server.Dashboard.Comparison;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Dashboard.Samples;

namespace Deliberate.Server.Dashboard.Policies;

/// <summary>What a run shows of one clause.</summary>
/// <param name="Code">The clause.</param>
/// <param name="Citing">Samples whose thought cites it.</param>
/// <param name="Kept">Those of them that are trained on.</param>
/// <param name="Asked">Held-out prompts that it decides.</param>
/// <param name="Recalled">Of these, the share whose thought cites it and no other clause.</param>
/// <param name="Right">Of these, the share whose answer takes the action that it demands.</param>
public sealed record ClauseFigure(string Code, int Citing, int Kept, int Asked, Metric Recalled, Metric Right)
{
    /// <summary>The figures of the clauses of a run, for the arm that is measured.</summary>
    internal static IReadOnlyDictionary<string, ClauseFigure> Of(RunPlace run, IEnumerable<string> codes, string? arm)
    {
        var citing = run.Samples.Entries.SelectMany(entry => entry.Cited.Select(code => (Code: code, Kept: entry.Fate == SampleFate.Kept))).ToLookup(pair => pair.Code, pair => pair.Kept);
        var asked = (arm is null ? [] : HeldOutAnswer.Read(run, arm)).Where(answer => answer.ExpectedClause is not null).ToLookup(answer => answer.ExpectedClause!);
        var bootstrap = new Bootstrap(run.Manifest?.Seed ?? 0);
        return codes.Distinct().ToDictionary(code => code, code =>
        {
            var answers = asked[code].ToArray();
            return new ClauseFigure(code, citing[code].Count(), citing[code].Count(kept => kept), answers.Length,
                bootstrap.Share([.. answers.Select(answer => PolicyRecall.CitesExactly(answer.Thinking, code))]), bootstrap.Mean([.. answers.Select(answer => answer.Right).OfType<double>()]));
        });
    }
}
