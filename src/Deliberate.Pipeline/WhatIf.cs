using System.Text.Json;
using Deliberate.Evaluation;
using Deliberate.Inference.Chat;
using Deliberate.Miniature.Oracle;
using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Pipeline.Stages;
using Deliberate.Policies;
using Deliberate.Reports;
using Deliberate.Runs;

namespace Deliberate.Pipeline;

/// <summary>
/// The what-if experiment: change what one clause demands, make the training data anew and fine-tune anew, and measure how the
/// model's behaviour moved on the requests that the clause decides and on all others.
/// </summary>
public static class WhatIf
{
    /// <summary>Runs it in <c>before/</c> and <c>after/</c> below the given folder and writes <c>whatif.json</c> there.</summary>
    /// <param name="options">The run to vary; its arms are not used.</param>
    /// <param name="clause">Code of the clause.</param>
    /// <param name="action">What it is to demand.</param>
    /// <param name="progress">Hears where the stages stand; arms are named "before" and "after".</param>
    /// <param name="cancel">Stops; what is finished is kept.</param>
    /// <exception cref="AlignmentException">The policy has no such clause, it demands this already, or a stage cannot go on.</exception>
    public static async Task<WhatIfReport> RunAsync(AlignmentOptions options, string clause, PolicyAction action, IProgress<StageProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var policy = Policy.Load(options.PolicyFolder);
        var found = policy.Find(clause) ?? throw new AlignmentException($"{options.PolicyFolder} has no clause '{clause}'; its clauses are {string.Join(", ", policy.Clauses.Select(known => known.Code))}.");
        if (found.Action == action) throw new AlignmentException($"clause {clause} demands '{action.ToText()}' already ({found.File}:{found.Line}).");
        var edited = policy.WithClauseAction(clause, action);
        var model = RunContext.LoadModel(options.ModelFolder ?? ShippedModel.Folder);
        var (worldBefore, worldAfter) = (PolicyReading.Read(policy), PolicyReading.Read(edited));

        var items = Items(worldBefore, worldAfter, clause, Sizes.Of(options.Budget), Conversations.CallSeed.Derive(options.Seed, "whatif", 0));
        var before = await AnswersAsync("before", policy, worldBefore).ConfigureAwait(false);
        var after = await AnswersAsync("after", edited, worldAfter).ConfigureAwait(false);

        var bootstrap = new Bootstrap(options.Seed);
        var decided = Enumerable.Range(0, items.Count).ToLookup(index => IsDecidedBy(worldBefore, items[index], clause));
        var report = new WhatIfReport
        {
            Clause = clause,
            Action = action.ToText(),
            Affected = bootstrap.Share([.. decided[true].Select(index => Outcome.Of(worldAfter, items[index], after[index]).RightAction)]),
            Unaffected = bootstrap.Share([.. decided[false].Select(index => Outcome.Of(worldBefore, items[index], before[index]).Taken == Outcome.Of(worldAfter, items[index], after[index]).Taken)]),
            AffectedBefore = bootstrap.Share([.. decided[true].Select(index => Outcome.Of(worldAfter, items[index], before[index]).RightAction)]),
            UnaffectedCorrect = bootstrap.Share([.. decided[false].Select(index => Outcome.Of(worldAfter, items[index], after[index]).RightAction)]),
            Seed = options.Seed,
            PolicyHash = policy.Hash,
            EditedHash = edited.Hash,
            BaseFingerprint = model.Fingerprint,
        };
        AtomicFile.Write(Path.Combine(options.Out, "whatif.json"), stream => JsonSerializer.Serialize(stream, report, RunJson.Indented));
        return report;

        async Task<Conversations.Completion[]> AnswersAsync(string when, Policy its, WorldPolicy world)
        {
            var inner = progress is null ? null : new Renamed(progress, when);
            var run = RunContext.Open(options with { Out = Path.Combine(options.Out, when), Arms = [Arms.Sft] }, its, world, model);
            using var alignment = Alignment.Over(run);
            var trained = await alignment.ListeningAsync(inner, () => alignment.TrainedAsync(Arms.Sft, cancel)).ConfigureAwait(false);
            using var sampler = new RolloutSampler(trained!.Weights, new ChatFormat(run.Base.Tokenizer), Limits.CompletionTokens);
            return [.. sampler.Sample(WorldPrompts.Of("whatif", items), 1, 0, options.Seed, cancel).Select(item => item.Completion)];
        }
    }

    // Held-out, undisguised requests: as many that the clause decides as there are (up to a suite), and twice a suite of others.
    private static List<Request> Items(WorldPolicy before, WorldPolicy after, string clause, Sizes sizes, int seed)
    {
        var random = new Random(seed);
        var covered = Suites.Covered(before);
        var affectedCategory = before.Clauses.First(line => line.Code == clause).Category;
        var (affected, others, seen) = (new List<Request>(), new List<Request>(), new HashSet<string>());
        for (var attempt = 0; attempt < sizes.SuiteSize * 400 && (affected.Count < sizes.SuiteSize || others.Count < 2 * sizes.SuiteSize); attempt++)
        {
            // Half of all draws look into the clause's own category, where its neighbours are too.
            var category = random.Next(2) == 0 ? affectedCategory : RequestSampler.Pick(random, random.Next(4) == 0 ? Topic.Categories : covered);
            var request = RequestSampler.DrawUnder(random, before, category, new(Wrapped: 0, Persona: 0.3, Filler: 0.25, FirstTurn: 0), inside: 1);
            if (PromptSplit.Of(request) != Side.HeldOut || !seen.Add(request.Text)) continue;
            var target = IsDecidedBy(before, request, clause) ? affected : others;
            if (target.Count < (target == affected ? sizes.SuiteSize : 2 * sizes.SuiteSize) && (target == others || Ruling.Of(before, request).Action != Ruling.Of(after, request).Action))
                target.Add(request);
        }

        return [.. affected, .. others];
    }

    private static bool IsDecidedBy(WorldPolicy policy, Request request, string clause) => policy.Deciding(request)?.Code == clause;

    private sealed class Renamed(IProgress<StageProgress> inner, string arm) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => inner.Report(value with { Arm = arm });
    }
}
