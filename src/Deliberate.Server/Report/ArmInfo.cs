using Deliberate.Evaluation;
using Deliberate.Reports;

namespace Deliberate.Server.Report;

/// <summary>How an arm looks and what it is.</summary>
/// <param name="Name">Its name in <c>report.json</c>.</param>
/// <param name="Label">Its name on the page.</param>
/// <param name="Style">The class that gives it its colour; never made of a report's text.</param>
/// <param name="Shape">The shape of its mark, so that colour is not needed to tell arms apart.</param>
/// <param name="Description">What was done to the model, in one sentence.</param>
public sealed record ArmInfo(string Name, string Label, string Style, MarkShape Shape, string Description)
{
    /// <summary>The six arms, in order.</summary>
    public static IReadOnlyList<ArmInfo> All { get; } =
    [
        new("base", "Base", "arm-base", MarkShape.Circle, "The model as it was, with no policy."),
        new("base+policy", "Base + policy", "arm-policy", MarkShape.Square, "The same model with the policy in its prompt."),
        new("instant-refusal", "Instant refusal", "arm-instant", MarkShape.Triangle, "Fine-tuned on the same answers without any thinking."),
        new("sft", "SFT", "arm-sft", MarkShape.Diamond, "Fine-tuned on thinking and answers; no policy in the prompt."),
        new("rl-only", "RL only", "arm-rl", MarkShape.Wedge, "Reinforced from the base model, without fine-tuning first."),
        new("sft+rl", "SFT + RL", "arm-full", MarkShape.Star, "Fine-tuned, then reinforced: the whole method."),
    ];

    private static readonly string[] Furthest = ["sft+rl", "sft", "rl-only", "instant-refusal"];

    /// <summary>The look of the arm with this name; an unknown arm keeps its name.</summary>
    public static ArmInfo Of(string name) => All.FirstOrDefault(arm => arm.Name == name) ?? new(name, name, "arm-other", MarkShape.Circle, "An arm of this run.");

    /// <summary>The arms in the page's order: the six known ones, then the others as they come.</summary>
    public static IReadOnlyList<ReportArm> Sort(IReadOnlyList<ReportArm> arms) => [.. arms.OrderBy(arm => Order(arm.Name))];

    /// <summary>The trained arm that the page speaks of: the one that went furthest through the method among those measured; null when none was trained.</summary>
    public static ReportArm? Main(IReadOnlyList<ReportArm> arms) =>
        Furthest.Select(name => Find(arms, name)).FirstOrDefault(arm => arm is not null && arm.Metrics.Values.Any(metric => metric.IsMeasured()));

    /// <summary>The arm with this name, or null.</summary>
    public static ReportArm? Find(IReadOnlyList<ReportArm> arms, string name) => arms.FirstOrDefault(arm => arm.Name == name);

    /// <summary>The metric of an arm, or null when the arm or the metric is missing.</summary>
    public static Metric? Find(IReadOnlyList<ReportArm> arms, string name, string metric) => Find(arms, name)?.Metrics.GetValueOrDefault(metric);

    internal static int Order(string name) => All.Select((arm, index) => (arm, index)).Where(pair => pair.arm.Name == name).Select(pair => pair.index).DefaultIfEmpty(All.Count).First();
}

/// <summary>Shapes of marks in charts.</summary>
public enum MarkShape
{
    /// <summary>A disc.</summary>
    Circle,

    /// <summary>A square.</summary>
    Square,

    /// <summary>A triangle that stands on its base.</summary>
    Triangle,

    /// <summary>A square on its corner.</summary>
    Diamond,

    /// <summary>A triangle that stands on its tip.</summary>
    Wedge,

    /// <summary>A star of five points.</summary>
    Star,
}
