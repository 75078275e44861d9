using Deliberate.Evaluation;
using Deliberate.Server.Dashboard.Runs;

namespace Deliberate.Server.Dashboard.Comparison;

/// <summary>A measured model: an arm of a run.</summary>
/// <param name="Run">The run.</param>
/// <param name="Arm">The arm.</param>
public sealed record MeasuredModel(string Run, string Arm)
{
    /// <summary>The model as links write it: "run/arm".</summary>
    public string Value => $"{Run}/{Arm}";

    /// <summary>Reads "run/arm"; null when it is not that.</summary>
    public static MeasuredModel? Read(string? value) => value?.LastIndexOf('/') is > 0 and var at ? new(value[..at], value[(at + 1)..]) : null;
}

/// <summary>One figure of both models over the same prompts.</summary>
/// <param name="Name">What is measured: "right", "refused".</param>
/// <param name="Group">Over which prompts; null: all.</param>
/// <param name="First">The first model's share.</param>
/// <param name="Second">The second's.</param>
/// <param name="Difference">The second less the first, prompt by prompt.</param>
public sealed record ComparedFigure(string Name, string? Group, Metric First, Metric Second, Metric Difference);

/// <summary>A prompt that the two answered differently, as a caller may see it.</summary>
/// <param name="Name">Names the prompt within its group.</param>
/// <param name="Request">The prompt.</param>
/// <param name="Group">Its suite or category.</param>
/// <param name="First">The first model's answer.</param>
/// <param name="FirstThought">Its thought.</param>
/// <param name="FirstRight">Whether it is right; null: not measured.</param>
/// <param name="Second">The second model's answer.</param>
/// <param name="SecondThought">Its thought.</param>
/// <param name="SecondRight">Whether it is right; null: not measured.</param>
public sealed record ComparedAnswers(
    string Name, string Request, string Group, string First, ThoughtView FirstThought, bool? FirstRight, string Second, ThoughtView SecondThought, bool? SecondRight);

/// <summary>Two models over the prompts that both were asked.</summary>
/// <param name="First">The first.</param>
/// <param name="Second">The second.</param>
/// <param name="Paired">Prompts that both answered.</param>
/// <param name="OnlyFirst">Prompts that only the first answered.</param>
/// <param name="OnlySecond">Prompts that only the second answered.</param>
/// <param name="Figures">The figures: over all prompts, then by group.</param>
/// <param name="Changed">Prompts where one is right and the other is not, at most thirty.</param>
/// <param name="ChangedCount">How many such prompts there are.</param>
public sealed record RunComparison(
    MeasuredModel First, MeasuredModel Second, int Paired, int OnlyFirst, int OnlySecond, IReadOnlyList<ComparedFigure> Figures, IReadOnlyList<ComparedAnswers> Changed, int ChangedCount)
{
    private const int Shown = 30;

    internal static RunComparison Of(RunPlace firstRun, string firstArm, RunPlace secondRun, string secondArm, Caller caller)
    {
        var (first, second) = (HeldOutAnswer.Read(firstRun, firstArm), HeldOutAnswer.Read(secondRun, secondArm));
        // A prompt may be asked more than once: the first answer of one goes with the first of the other, and so on.
        var waiting = second.GroupBy(answer => answer.Key).ToDictionary(group => group.Key, group => new Queue<HeldOutAnswer>(group));
        var pairs = new List<(HeldOutAnswer First, HeldOutAnswer Second)>();
        foreach (var answer in first)
            if (waiting.TryGetValue(answer.Key, out var queue) && queue.TryDequeue(out var other)) pairs.Add((answer, other));
        var bootstrap = new Bootstrap(firstRun.Manifest?.Seed ?? 0);
        ComparedFigure Figure(string name, string? group, IReadOnlyList<(HeldOutAnswer First, HeldOutAnswer Second)> of, Func<HeldOutAnswer, double?> value)
        {
            var scored = of.Where(pair => value(pair.First) is not null && value(pair.Second) is not null).ToArray();
            double[] before = [.. scored.Select(pair => value(pair.First)!.Value)], after = [.. scored.Select(pair => value(pair.Second)!.Value)];
            var unscored = of.Count - scored.Length;
            return new(name, group, bootstrap.Mean(before, unscored), bootstrap.Mean(after, unscored), bootstrap.Difference(after, before, unscored));
        }

        var figures = new List<ComparedFigure>();
        foreach (var (name, value) in ((string, Func<HeldOutAnswer, double?>)[])[("right", answer => answer.Right), ("refused", answer => answer.Refused)])
        {
            if (!pairs.Any(pair => value(pair.First) is not null && value(pair.Second) is not null)) continue;
            figures.Add(Figure(name, null, pairs, value));
            figures.AddRange(pairs.GroupBy(pair => pair.First.Group).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => Figure(name, group.Key, [.. group], value)));
        }

        var changed = pairs.Where(pair => pair.First.Right is { } was && pair.Second.Right is { } now && was != now).ToArray();
        return new(new(firstRun.Name, firstArm), new(secondRun.Name, secondArm), pairs.Count, first.Count - pairs.Count, second.Count - pairs.Count, figures,
            [.. changed.Take(Shown).Select(pair => new ComparedAnswers(pair.First.Name, pair.First.Request, pair.First.Group,
                pair.First.Answer, ThoughtView.Of(pair.First.Thinking, caller), pair.First.Right == 1,
                pair.Second.Answer, ThoughtView.Of(pair.Second.Thinking, caller), pair.Second.Right == 1))], changed.Length);
    }
}
