using System.Collections.Concurrent;
using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Runs;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

/// <summary>Judges as it is told, at once or when it is let go, and remembers what it saw.</summary>
internal sealed class ScriptedJudge(Func<AnswerView, Spec, Verdict> judge) : IAnswerJudge
{
    private readonly ConcurrentQueue<(AnswerView View, Spec Spec, string Id)> _seen = new();
    private readonly ConcurrentQueue<int> _batches = new();

    public ScriptedJudge(double score = 1)
        : this((_, _) => new Verdict(score, "because"))
    {
    }

    public string Version => "scripted-1";

    /// <summary>When set, calls wait for it.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>When set, calls fail with it.</summary>
    public Exception? Failure { get; set; }

    public IReadOnlyCollection<(AnswerView View, Spec Spec, string Id)> Seen => _seen;

    public IReadOnlyCollection<int> Batches => _batches;

    public async Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<(AnswerView View, Spec Spec, string Id)> items, IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        Assert.Equal(items.Count, items.Select(item => item.Id).Distinct().Count());
        _batches.Enqueue(items.Count);
        foreach (var item in items) _seen.Enqueue(item);
        if (Gate is { } gate) await gate.Task.WaitAsync(cancellationToken);
        if (Failure is { } failure) throw failure;
        return [.. items.Select(item => new Judgement([judge(item.View, item.Spec)]))];
    }
}
