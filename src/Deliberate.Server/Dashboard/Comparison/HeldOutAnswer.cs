using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Server.Dashboard.Files;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Dashboard.Samples;

namespace Deliberate.Server.Dashboard.Comparison;

/// <summary>An arm's answer to a held-out prompt, from either layout of <c>answers-ARM.jsonl</c>.</summary>
/// <param name="Key">Names the prompt across runs; holds its text.</param>
/// <param name="Name">Names the prompt within its run, without its text.</param>
/// <param name="Group">Suite or category.</param>
/// <param name="Request">The user's last turn.</param>
/// <param name="ExpectedClause">The clause that decides; null when none does or nobody knows.</param>
/// <param name="Thinking">The thought.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Right">1 for an answer that follows the policy, 0 for one that does not; null when that is not measured.</param>
/// <param name="Refused">1 for a refusal, 0 for another answer; null when that is not measured.</param>
internal sealed record HeldOutAnswer(string Key, string Name, string Group, string Request, string? ExpectedClause, string Thinking, string Answer, double? Right, double? Refused)
{
    private sealed record OfWorld(
        string Suite, int Group, string Wrapper, string Request, string ExpectedAction, string? ExpectedClause, string Thinking, string Answer, bool RightAction, string Fault);

    private sealed record OfFiles(Prompt Prompt, Completion Completion, bool Refused, Judgement? Judgement);

    /// <summary>Arms of a run that have answers.</summary>
    public static IReadOnlyList<string> Arms(RunPlace run) =>
        [.. Directory.EnumerateFiles(run.FolderPath, "answers-*.jsonl").Select(path => Path.GetFileNameWithoutExtension(path)["answers-".Length..]).OrderBy(Report.ArmInfo.Order)];

    /// <summary>The answers of an arm in the order of the prompts; none when it was not measured.</summary>
    public static IReadOnlyList<HeldOutAnswer> Read(RunPlace run, string arm)
    {
        if (!Arms(run).Contains(arm)) return [];
        var answers = new List<HeldOutAnswer>();
        new GrowingLines(run.PathOf($"answers-{arm}.jsonl")).Refresh(answers.Clear, (_, line) =>
        {
            if (SampleLines.Read<OfWorld>(line) is { } world)
                answers.Add(new($"{world.Suite}\n{world.Request}", NameOf(world, answers.Count), world.Suite, world.Request, world.ExpectedClause,
                    world.Thinking, world.Answer, world.RightAction ? 1 : 0, null));
            else if (SampleLines.Read<OfFiles>(line) is { } file)
                answers.Add(new($"{file.Prompt.Id}\n{file.Prompt.Conversation.Request}", file.Prompt.Id, file.Prompt.Category ?? "none", file.Prompt.Conversation.Request, null,
                    file.Completion.Thinking, file.Completion.Answer, file.Judgement?.Min is { } score ? score >= 1 ? 1 : 0 : null, file.Completion.Truncated ? null : file.Refused ? 1 : 0));
        });
        return answers;
    }

    // A prompt of the miniature's world has no id: it is told by its place and by how it is disguised.
    private static string NameOf(OfWorld world, int place) =>
        string.Create(CultureInfo.InvariantCulture, $"prompt {place + 1}{(world.Wrapper is "" or "None" ? "" : $", {world.Wrapper}")}");
}
