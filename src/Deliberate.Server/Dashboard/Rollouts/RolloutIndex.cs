using Deliberate.Server.Dashboard.Files;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Dashboard.Samples;

namespace Deliberate.Server.Dashboard.Rollouts;

/// <summary>A rollout as a run's folder keeps it.</summary>
internal sealed record RolloutLine(int Step, string Prompt, int Index, string Request, string Thinking, string Answer, double? Reward, double? Advantage, IReadOnlyList<string> Reasons);

/// <summary>A step of reinforcement learning as a run on prompts of files notes it.</summary>
internal sealed record RlStepLine(int Step, double Reward, double Kl, double Entropy, double Length, double Refusals, double Malformed, double Flat, double Unscored);

/// <summary>What is known of a rollout without its texts.</summary>
internal sealed record RolloutEntry(int Step, double? Reward, int AnswerWords, LineSpan Source);

/// <summary>Knows where the rollouts of each step stand, arm by arm; follows the files while training goes on. Thread-safe.</summary>
internal sealed class RolloutIndex(RunPlace run)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (GrowingLines File, List<RolloutEntry> Entries)> _arms = [];

    /// <summary>Arms that have rollouts.</summary>
    public IReadOnlyList<string> Arms =>
    [
        .. Directory.EnumerateFiles(run.FolderPath, "rollouts-*.jsonl").Select(path => Path.GetFileNameWithoutExtension(path)["rollouts-".Length..]).Order(StringComparer.Ordinal),
        .. File.Exists(run.PathOf("rollouts.jsonl")) ? (ReadOnlySpan<string>)["sft+rl"] : [],
    ];

    /// <summary>All rollouts of an arm in the order in which they were made.</summary>
    public IReadOnlyList<RolloutEntry> Of(string arm)
    {
        if (!Arms.Contains(arm)) return [];
        lock (_gate)
        {
            if (!_arms.TryGetValue(arm, out var known)) _arms[arm] = known = (new(PathOf(arm)), []);
            known.File.Refresh(known.Entries.Clear, (span, line) =>
            {
                if (SampleLines.Read<RolloutLine>(line) is { } rollout) known.Entries.Add(new(rollout.Step, rollout.Reward, ThoughtView.WordsOf(rollout.Answer), span));
            });
            return [.. known.Entries];
        }
    }

    /// <summary>The steps of an arm.</summary>
    public IReadOnlyList<int> Steps(string arm) => [.. Of(arm).Select(rollout => rollout.Step).Distinct().Order()];

    /// <summary>The steps that a run on prompts of files has noted.</summary>
    public IReadOnlyList<RlStepLine> Logged
    {
        get
        {
            var steps = new List<RlStepLine>();
            new GrowingLines(run.PathOf("rl.jsonl")).Refresh(steps.Clear, (_, line) =>
            {
                if (SampleLines.Read<RlStepLine>(line) is { } step) steps.Add(step);
            });
            return steps;
        }
    }

    public int LoggedSteps => run.IsOfFiles ? Logged.Count : 0;

    private string PathOf(string arm) => run.PathOf($"rollouts-{arm}.jsonl") is var own && File.Exists(own) ? own : run.PathOf("rollouts.jsonl");
}
