namespace Deliberate.Server.Dashboard.Rollouts;

/// <summary>A rollout as a caller may see it.</summary>
/// <param name="Prompt">Id of the prompt; the rollouts of one prompt are a group.</param>
/// <param name="Index">Number within the group.</param>
/// <param name="Request">The user's last turn.</param>
/// <param name="Thought">The thought.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Reward">From 0 to 1; null when unscored.</param>
/// <param name="Advantage">Reward less the group's mean; null when unscored.</param>
/// <param name="Reasons">What the judge said, who saw the answer and never the thought.</param>
public sealed record RolloutView(string Prompt, int Index, string Request, ThoughtView Thought, string Answer, double? Reward, double? Advantage, IReadOnlyList<string> Reasons);

/// <summary>One page of a step's rollouts.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Arms">All arms that have rollouts.</param>
/// <param name="Step">The step; 0 when there is none.</param>
/// <param name="Steps">All steps.</param>
/// <param name="Rollouts">The rollouts of the page.</param>
/// <param name="Page">Its number, from 1.</param>
/// <param name="Pages">Number of pages of the step.</param>
/// <param name="Total">Rollouts of the step.</param>
public sealed record RolloutPage(string Arm, IReadOnlyList<string> Arms, int Step, IReadOnlyList<int> Steps, IReadOnlyList<RolloutView> Rollouts, int Page, int Pages, int Total)
{
    private const int PageSize = 32;

    /// <summary>A page of the rollouts of a step; the last step when it is not told, the arm that went furthest when that is not.</summary>
    internal static RolloutPage Of(Runs.RunPlace run, Caller caller, string? arm, int? step, int page)
    {
        var arms = run.Rollouts.Arms;
        if (arm is null || !arms.Contains(arm)) arm = arms.Contains("sft+rl") ? "sft+rl" : arms is [var first, ..] ? first : "";
        var all = run.Rollouts.Of(arm);
        var steps = all.Select(rollout => rollout.Step).Distinct().Order().ToArray();
        var shown = step is { } asked && steps.Contains(asked) ? asked : steps.LastOrDefault();
        var ofStep = all.Where(rollout => rollout.Step == shown).ToArray();
        var pages = Math.Max(1, (ofStep.Length + PageSize - 1) / PageSize);
        page = Math.Clamp(page, 1, pages);
        var views = ofStep.Skip((page - 1) * PageSize).Take(PageSize).Select(rollout => rollout.Source.Read() is { } line ? Samples.SampleLines.Read<RolloutLine>(line) : null).OfType<RolloutLine>()
            .Select(line => new RolloutView(line.Prompt, line.Index, line.Request, ThoughtView.Of(line.Thinking, caller), line.Answer, line.Reward, line.Advantage, line.Reasons));
        return new(arm, arms, shown, steps, [.. views], page, pages, ofStep.Length);
    }
}
