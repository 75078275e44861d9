using Deliberate.Conversations;
using Deliberate.Evaluation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Pipeline.Clients;
using Deliberate.Runs;

namespace Deliberate.Pipeline.Data;

/// <summary>One measured answer, as the run's folder keeps it.</summary>
internal sealed record GradedAnswer(Prompt Prompt, Completion Completion, bool Refused, Judgement? Judgement);

/// <summary>
/// Figures on the held-out prompts. <c>followed</c>: the grader, who reads the policy and not the thought, finds the answer good. <c>refused</c>: the answer
/// begins like a refusal. Both also by category (<c>followed:CATEGORY</c>), by the label that the file gives (<c>refused:safe</c>), and where there are
/// several files by their names (<c>refused:questions.csv</c>).
/// </summary>
/// <param name="Schema">1.</param>
/// <param name="Key">Names the result.</param>
/// <param name="PolicyHash">The policy.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Base">The model that answers.</param>
/// <param name="Grader">The model that grades; null: none.</param>
/// <param name="Arms">Metrics by arm: <c>base</c> without the policy, <c>base+policy</c> with spec(category) in context, and the models trained in this run.</param>
/// <param name="Difference">Each other arm less <c>base</c>, over the same prompts.</param>
/// <param name="Failed">Calls that failed for good, by reason.</param>
internal sealed record GradedFigures(
    int Schema, string Key, string PolicyHash, int Seed, string Base, string? Grader, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Metric>> Arms,
    IReadOnlyDictionary<string, Metric> Difference, IReadOnlyDictionary<string, int> Failed);

/// <summary>Measures the base model on the held-out prompts, without the policy and with it, and what was trained: <c>eval.json</c> and <c>answers-ARM.jsonl</c>.</summary>
internal sealed class GradeStage(DataContext run, IProgress<StageProgress>? progress)
{
    public const string File = "eval.json";

    /// <exception cref="AlignmentException">Nothing is held out, an arm is asked for that there is not, or the stage cannot go on.</exception>
    public async Task<GradedFigures> GradeAsync(PreparedPrompts prompts, CancellationToken cancel)
    {
        if (prompts.HeldOut == 0) throw new AlignmentException("no prompt is held out to measure on: set --held-out above 0, or give more prompts.");
        var options = run.Options;
        var arms = ArmsOf(options.Arms);
        var key = StageKey.Of("graded-3", prompts.Key, arms, arms.Where(IsTrained).Select(arm => FingerprintOf(run.ModelFolder(arm))).ToArray(), run.Clients.Base.Name, run.BaseWords.Generation.Version, run.Clients.Grader?.Name, run.GraderWords?.Judging.Version, options.JudgeRuns, options.Threshold, options.MaxTokens, options.SpecTokens, options.Seed);
        if (run.Finished<GradedFigures>("eval", key, File) is { } done && (done.Failed.Count == 0 || !options.Models.RetryFailed)) return done;
        var heldOut = JsonLines.Read<Prompt>(run.PathOf(PromptStage.HeldOutFile));
        var answerFailures = new CallFailures(run.Clients.Base.Name);
        var gradeFailures = new CallFailures(run.Clients.Grader?.Name ?? "");
        var bootstrap = new Bootstrap(run.Seed("bootstrap"));
        var answers = new Dictionary<string, GradedAnswer?[]>();
        foreach (var arm in arms)
        {
            using var own = IsTrained(arm) ? RoleClient.Local(LocalChat.Open(run.ModelFolder(arm), options.MaxTokens), run.Clients) : null;
            answers[arm] = await AnswersAsync(arm, own ?? run.Clients.Base, heldOut, answerFailures, gradeFailures, cancel).ConfigureAwait(false);
            JsonLines.Write(run.PathOf($"answers-{arm}.jsonl"), answers[arm].OfType<GradedAnswer>());
        }

        var failed = answerFailures.Reasons.Concat(gradeFailures.Reasons).GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));
        var result = new GradedFigures(1, key, run.Policy.Hash, options.Seed, run.Clients.Base.Name, run.Clients.Grader?.Name,
            answers.ToDictionary(arm => arm.Key, arm => (IReadOnlyDictionary<string, Metric>)Metrics(arm.Value, bootstrap)), answers.Keys.Where(arm => arm != Arms.Base && answers.ContainsKey(Arms.Base)).SelectMany(arm => Differences(answers[arm], answers[Arms.Base], bootstrap).Select(metric => (Name: $"{arm} less base, {metric.Key}", metric.Value))).ToDictionary(metric => metric.Name, metric => metric.Value), failed);
        AtomicFile.Write(run.PathOf(File), stream => System.Text.Json.JsonSerializer.Serialize(stream, result, RunJson.Indented));
        return run.Finish("eval", key, result);
    }

    // All that there are, or those that are asked for, in this order.
    private string[] ArmsOf(IReadOnlyList<string> asked)
    {
        string[] all = [Arms.Base, Arms.BaseWithPolicy, .. new[] { Arms.InstantRefusal, Arms.Sft, Arms.SftRl }.Where(arm => System.IO.File.Exists(Path.Combine(run.ModelFolder(arm), "config.json")))];
        if (asked.Except(all).FirstOrDefault() is { } unknown) throw new AlignmentException($"there is no arm '{unknown}' to measure in this run: it has {string.Join(", ", all)}.");
        return asked.Count == 0 ? all : [.. all.Where(asked.Contains)];
    }

    private static bool IsTrained(string arm) => arm is not (Arms.Base or Arms.BaseWithPolicy);

    private static string FingerprintOf(string folder)
    {
        using var model = Inference.Models.StoredModel.Open(folder);
        return model.Fingerprint;
    }

    private async Task<GradedAnswer?[]> AnswersAsync(string arm, RoleClient client, IReadOnlyList<Prompt> prompts, CallFailures answerFailures, CallFailures gradeFailures, CancellationToken cancel)
    {
        var generator = new SampleGenerator(client.For("eval"), run.BaseWords.Generation, new(
            1, Temperature: 0, run.BaseWords.CompletionTokens ?? run.Options.MaxTokens, run.Seed("eval"), ThinkingOpened: client.ThinkingOpened));
        var grader = run.Clients.Grader is not { } grading || run.GraderWords is not { } words ? null
            : new Judge(grading.For("grade"), words.Judging, new(run.Options.JudgeRuns, MaxTokens: words.VerdictTokens, Seed: run.Seed("grade"), ThinkingOpened: grading.ThinkingOpened));
        var paced = new PacedProgress(progress, "eval", arm, prompts.Count, "answers", client.Told);
        var answers = new GradedAnswer?[prompts.Count];
        var count = 0;
        await foreach (var answer in OrderedStream.RunAsync(prompts, SampleStage.Window(client.Flow), async (prompt, token) =>
        {
            var sample = await answerFailures.TryAsync(() => generator.DrawAsync(prompt, 0, arm == Arms.BaseWithPolicy ? run.BaseWords.Spec(prompt.Category) : null, token)).ConfigureAwait(false);
            if (sample is null) return null;
            var judgement = grader is null || sample.Completion.Truncated ? null
                : await gradeFailures.TryAsync(() => grader.JudgeAsync(AnswerView.Of(prompt.Conversation, sample.Completion), run.GraderWords!.Spec(prompt.Category), $"{arm}/{prompt.Id}", token)).ConfigureAwait(false);
            return new GradedAnswer(prompt, sample.Completion, RefusalJudge.IsRefusal(sample.Completion.Answer), judgement);
        }, cancel).ConfigureAwait(false))
        {
            answers[count++] = answer;
            paced.Report(count);
        }

        return answers;
    }

    // What has no score is left out and counted: a call that failed, a cut answer, a grader that cannot be read.
    private static double? Refused(GradedAnswer? answer) => answer is null or { Completion.Truncated: true } ? null : answer.Refused ? 1 : 0;

    private double? Followed(GradedAnswer? answer) => answer?.Judgement?.Min is { } score ? score >= run.Options.Threshold ? 1 : 0 : null;

    private Dictionary<string, Metric> Metrics(GradedAnswer?[] answers, Bootstrap bootstrap)
    {
        var metrics = new Dictionary<string, Metric>();
        void Add(string name, IEnumerable<GradedAnswer?> of)
        {
            var all = of.ToArray();
            if (run.Clients.Grader is not null) metrics["followed" + name] = Mean([.. all.Select(Followed)]);
            metrics["refused" + name] = Mean([.. all.Select(Refused)]);
        }

        Metric Mean(double?[] values) => bootstrap.Mean([.. values.OfType<double>()], values.Count(value => value is null));
        Add("", answers);
        foreach (var group in answers.OfType<GradedAnswer>().GroupBy(answer => answer.Prompt.Category ?? "none").OrderBy(group => group.Key, StringComparer.Ordinal)) Add($":{group.Key}", group);
        foreach (var group in answers.OfType<GradedAnswer>().Where(answer => answer.Prompt.Tags?.ContainsKey("label") ?? false).GroupBy(answer => answer.Prompt.Tags!["label"]).OrderBy(group => group.Key, StringComparer.Ordinal))
            Add($":{group.Key}", group);
        var files = answers.OfType<GradedAnswer>().GroupBy(answer => answer.Prompt.Tags?.GetValueOrDefault("file") ?? "").OrderBy(group => group.Key, StringComparer.Ordinal).ToArray();
        if (files.Length > 1) foreach (var file in files) Add($":{file.Key}", file);
        return metrics;
    }

    private Dictionary<string, Metric> Differences(GradedAnswer?[] with, GradedAnswer?[] without, Bootstrap bootstrap)
    {
        Metric Of(Func<GradedAnswer?, double?> value)
        {
            var both = with.Zip(without).Select(pair => (With: value(pair.First), Without: value(pair.Second))).Where(pair => pair.With is not null && pair.Without is not null).ToArray();
            return bootstrap.Difference([.. both.Select(pair => pair.With!.Value)], [.. both.Select(pair => pair.Without!.Value)], with.Length - both.Length);
        }

        var differences = new Dictionary<string, Metric> { ["refused"] = Of(Refused) };
        if (run.Clients.Grader is not null) differences["followed"] = Of(Followed);
        return differences;
    }
}
