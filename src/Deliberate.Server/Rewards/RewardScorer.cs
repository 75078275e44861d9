using Deliberate.Conversations;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Rewards;

namespace Deliberate.Server.Rewards;

/// <summary>An answer to be rewarded.</summary>
/// <param name="Conversation">What was asked.</param>
/// <param name="Completion">What the model wrote. Its thought goes no further than the check of its form.</param>
/// <param name="Category">The category that the request names, or null.</param>
internal readonly record struct RewardQuery(Conversation Conversation, Completion Completion, string? Category);

/// <summary>Scores answers by a policy: from the cache, or by the judge, which gets an <see cref="AnswerView"/>. Thread-safe.</summary>
internal sealed class RewardScorer : IDisposable
{
    private readonly Policy _policy;
    private readonly RewardOptions _options;
    private readonly FormatFilter _filter;
    private readonly JudgeQueue _queue;
    private readonly RewardTelemetry _telemetry;
    private readonly string _judge;
    private readonly Dictionary<string, Spec> _specs;
    private readonly Spec _general;
    private readonly Spec? _default;
    private readonly FlightCache<Outcome> _cache;
    private readonly FlightCache<CategoryLabel> _labels;

    /// <exception cref="PolicyException">A category exceeds the token budget, or the default category does not exist.</exception>
    public RewardScorer(IAnswerJudge judge, Policy policy, RewardOptions options, TimeProvider time, RewardTelemetry telemetry)
    {
        (_policy, _options, _telemetry, _judge) = (policy, options.Checked(), telemetry, judge.Version);
        _filter = new(options.RequireThinking);
        _general = policy.Spec(null, options.SpecTokenBudget, options.CountTokens);
        _specs = policy.Categories.ToDictionary(category => category.Id, category => policy.Spec(category.Id, options.SpecTokenBudget, options.CountTokens));
        _default = options.DefaultCategory is { } name ? _specs[policy.Spec(name, options.SpecTokenBudget, options.CountTokens).Category!] : null;
        _queue = new(judge, options, time, telemetry);
        _cache = new(options.CacheCapacity, static outcome => outcome.Score is not null);
        _labels = new(options.CacheCapacity, static label => !label.Failed);
        telemetry.Observe(() => _cache.Count);
    }

    public RewardOptions Options => _options;

    /// <summary>The ids of the categories that a request may name.</summary>
    public string Categories => string.Join(", ", _policy.Categories.Select(category => category.Id));

    /// <summary>Whether the policy has such a category.</summary>
    public bool Knows(string category) => _policy.FindCategory(category) is not null;

    /// <summary>Scores one answer. Never throws: what cannot be scored has no score.</summary>
    /// <param name="query">The answer, with a category that exists or none.</param>
    /// <param name="protocol">The protocol it came by, for the metrics.</param>
    public async ValueTask<Outcome> ScoreAsync(RewardQuery query, string protocol)
    {
        var started = _telemetry.Start();
        var (spec, failure) = query.Category is { } name ? (_specs[_policy.FindCategory(name)!.Id], null)
            : _default is not null ? (_default, null)
            : _options.Labeller is null ? (_general, null)
            : await LabelledAsync(query.Conversation).ConfigureAwait(false);
        var use = CacheUse.Made;
        Outcome outcome;
        if (failure is not null)
        {
            outcome = Outcome.Failed(failure);
        }
        else
        {
            var key = Key(query, spec);
            (var scored, use) = _cache.Get(key, (Scorer: this, Query: query, Spec: spec, Key: key), static (state, failures) =>
                state.Scorer.JudgeAsync(state.Query, state.Spec, state.Key, failures));
            outcome = await scored.ConfigureAwait(false);
        }

        _telemetry.Scored(started, protocol, outcome, use, spec);
        return outcome;
    }

    public void Dispose() => _queue.Dispose();

    // The thought itself is not in the key, only whether there is one, since it decides nothing else.
    private ContentKey Key(in RewardQuery query, Spec spec) => ContentKey.Of(
        [_judge, spec.PolicyHash, spec.Category ?? "", query.Completion.Truncated ? "cut" : "", string.IsNullOrWhiteSpace(query.Completion.Thinking) ? "" : "thought", query.Completion.Answer],
        query.Conversation);

    private Task<Outcome> JudgeAsync(RewardQuery query, Spec spec, ContentKey key, int failures)
    {
        // The judge's seeds derive from the id: equal answers are judged equally, and one that was judged in vain is judged anew.
        var item = RewardItem.Of(failures == 0 ? key.ToString() : $"{key}.{failures}", query.Conversation, query.Completion, spec, _filter);
        return item.FormatReason is { } reason ? Task.FromResult(new Outcome(0, Malformed: reason)) : _queue.JudgeAsync(item, late =>
        {
            if (late.Score is not null) _cache.Put(key, late);
        });
    }

    private async Task<(Spec Spec, string? Failure)> LabelledAsync(Conversation conversation)
    {
        var last = conversation.Turns.Count - 1;
        while (last >= 0 && conversation.Turns[last].Role != Role.User) last--;
        if (last < 0) return (_general, null);
        var asked = last == conversation.Turns.Count - 1 ? conversation : new Conversation([.. conversation.Turns.Take(last + 1)]);
        var key = ContentKey.Of([_policy.Hash], asked);
        var label = await _labels.Get(key, (Scorer: this, Asked: asked, Key: key), static (state, failures) => state.Scorer.LabelAsync(state.Asked, state.Key, failures)).Value.ConfigureAwait(false);
        return label switch
        {
            { Failed: true } => (_general, Failures.Unlabelled),
            { Category: { } category } => (_specs[category], null),
            _ => (_general, null),
        };
    }

    private async Task<CategoryLabel> LabelAsync(Conversation asked, ContentKey key, int failures)
    {
        try
        {
            var labels = await _options.Labeller!.LabelAsync([new($"{key}.{failures}", asked)]).ConfigureAwait(false);
            return new(labels[0].Categories is [var first, ..] ? first : null, !labels[0].IsLabelled);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            return new(null, true);
        }
    }

    private sealed record CategoryLabel(string? Category, bool Failed);
}
