using System.Diagnostics;
using System.Globalization;
using Deliberate.Distillation;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Oracle;
using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Pipeline.Stages;
using Deliberate.Policies;
using Deliberate.Reports;

namespace Deliberate.Pipeline;

/// <summary>Puts what a run measured into the record behind <c>report.json</c> and <c>report.html</c>.</summary>
internal sealed class ReportBuilder(RunContext run, IReadOnlyList<SuiteItem> items, DistillationResult? data)
{
    private const int TranscriptsASuite = 3;

    public RunReport Build(IReadOnlyDictionary<string, ArmEvaluation> arms, IReadOnlyDictionary<string, JudgeErrors> judge, IReadOnlyList<TrainingLog> logs, IReadOnlyList<ReportStage> stages, double wallSeconds)
    {
        using var process = Process.GetCurrentProcess();
        return new()
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(run.Options.Out))),
            Seed = run.Options.Seed,
            Policy = new(run.Options.PolicyFolder, run.Policy.Hash),
            Base = new(run.Base.Fingerprint, run.Base.Weights.Config.Tensors().Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size))),
            Machine = new(Environment.ProcessorCount, Math.Round(wallSeconds, 1), process.PeakWorkingSet64),
            Stages = stages,
            Arms = [.. arms.Select(arm => new ReportArm(arm.Key, arm.Value.Metrics))],
            Judge = judge.ToDictionary(entry => entry.Key, entry => entry.Value.ByRuns),
            Alarms = [.. logs.SelectMany(log => log.Alarms)],
            Curves = [.. logs.SelectMany(log => log.Curves)],
            Transcripts = Transcripts(arms),
            Clauses = [.. run.Policy.Categories.SelectMany(category => category.Clauses.Select(clause => new ReportClause(clause.Code, category.Title, clause.Action.ToText(), clause.Text)))],
            Provenance = Provenance(),
            Notes = [.. Condensed(arms), .. logs.SelectMany(log => log.Notes), .. Findings(arms)],
        };
    }

    private IEnumerable<string> Condensed(IReadOnlyDictionary<string, ArmEvaluation> arms) =>
        run.WholeCondensed is { } how && arms.ContainsKey(Arms.BaseWithPolicy)
            ? [$"{Arms.BaseWithPolicy}: the whole policy does not fit into the model's window and was read {how}; as in deployment, the model is not told the category."] : [];

    private Dictionary<string, string> Provenance()
    {
        string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
        var facts = new Dictionary<string, string>
        {
            ["generation template"] = new MiniatureGenerationFormat().Version,
            ["judge template"] = new MiniatureJudgeFormat().Version,
            ["budget"] = run.Options.Budget.ToString().ToLowerInvariant(),
            ["prompts"] = Text(run.Sizes.Prompts + run.Sizes.CapabilityPrompts),
            ["samples a prompt"] = Text(run.Sizes.Samples),
            ["judge runs (filter, minimum counts)"] = Text(run.Sizes.JudgeRuns),
            ["judge runs (reward, minimum counts)"] = Text(run.Sizes.RlJudgeRuns),
            ["temperature"] = string.Create(CultureInfo.InvariantCulture, $"{run.Sizes.SampleTemperature} (samples), {run.Sizes.JudgeTemperature} (judge), 1 (rollouts), 0 (evaluation)"),
            ["fine-tuning"] = string.Create(CultureInfo.InvariantCulture, $"{run.Sizes.Sft.Epochs} passes, AdamW {run.Sizes.Sft.LearningRate}"),
            ["reinforcement learning"] = string.Create(CultureInfo.InvariantCulture, $"GRPO, {run.Sizes.RlSteps} steps of {run.Sizes.RlPrompts} x {run.Sizes.GroupSize}, AdamW {run.Sizes.Grpo.LearningRate}, KL {run.Sizes.Grpo.KlCoefficient}"),
            ["version"] = typeof(ReportBuilder).Assembly.GetName().Version?.ToString() ?? "unknown",
        };
        if (data is null) return facts;
        facts["training examples"] = Text(data.Kept.Count);
        facts["rejected samples"] = Text(data.Rejected.Count);
        return facts;
    }

    // A few prompts of each kind, the same for every arm: those where the first and the last arm differ come first.
    private List<ReportTranscript> Transcripts(IReadOnlyDictionary<string, ArmEvaluation> arms)
    {
        var transcripts = new List<ReportTranscript>();
        if (arms.Count == 0) return transcripts;
        Outcome Of(string arm, int index) => Outcome.Of(run.World, items[index].Request, arms[arm].Completions[index]);
        foreach (var suite in Enum.GetValues<Suite>())
        {
            var chosen = Enumerable.Range(0, items.Count).Where(index => items[index].Suite == suite)
                .OrderByDescending(index => Of(arms.Keys.First(), index).RightAction != Of(arms.Keys.Last(), index).RightAction)
                .ThenBy(index => items[index].Group).DistinctBy(index => items[index].Group).Take(TranscriptsASuite);
            transcripts.AddRange(chosen.Select(index => new ReportTranscript(items[index].Request.Text, Kind(items[index]), items[index].Ruling.Clause?.Code, items[index].Ruling.Action.ToText(),
                [.. arms.Keys.Select(arm => new ReportReply(arm, arms[arm].Completions[index].Thinking, arms[arm].Completions[index].Answer, Of(arm, index).Fault == Fault.None))])));
        }

        return transcripts;
    }

    private static string Kind(SuiteItem item)
    {
        var kind = item.Suite switch
        {
            Suite.Harmful => "harmful",
            Suite.SafeCompletion => "needs a safe completion",
            Suite.Allowed => "allowed, though it sounds risky",
            Suite.Benign => "benign",
            Suite.Jailbreak => "jailbreak",
            Suite.EncodedAllowed => "allowed, in a disguise never seen in safety data",
            _ => "benign, in a disguise",
        };
        return item.Request.Wrapper == Wrapper.None ? kind : $"{kind}: {item.Request.Wrapper.Name()}";
    }

    private static IEnumerable<string> Findings(IReadOnlyDictionary<string, ArmEvaluation> arms)
    {
        string[] order = [Arms.BaseWithPolicy, Arms.InstantRefusal, Arms.Sft, Arms.SftRl];
        var present = order.Where(arms.ContainsKey).ToArray();
        foreach (var (lower, higher) in present.Zip(present.Skip(1)))
        {
            var (before, after) = (arms[lower].Metrics["goodness_at_0.1"], arms[higher].Metrics["goodness_at_0.1"]);
            if (before.N > 0 && after.N > 0 && after.Value < before.Value)
                yield return string.Create(CultureInfo.InvariantCulture, $"goodness@0.1 does not rise from {lower} ({before.Value:0.000}) to {higher} ({after.Value:0.000}).");
        }

        foreach (var (arm, evaluation) in arms)
            foreach (var (name, metric) in evaluation.Metrics)
                if (metric.N is > 0 and < 20 && arm == arms.Keys.First())
                    yield return $"{name} rests on {metric.N} prompts only: the policy leaves no more of them, or the budget is small.";
    }
}
