using System.Globalization;
using Deliberate.Pipeline;

namespace Deliberate.Cli.Interaction;

/// <summary>Progress in words.</summary>
internal static class ProgressText
{
    /// <summary>"rl (sft+rl)" or "judge".</summary>
    public static string Name(StageProgress progress) => progress.Arm is null ? progress.Stage : $"{progress.Stage} ({progress.Arm})";

    /// <summary>"640/1300 samples  52.1/s  13 s left  loss 0.31".</summary>
    public static string Going(StageStatus status)
    {
        var p = status.Progress;
        return Join(Text($"{p.Done}/{p.Total} {p.Unit}"), status.Rate is { } rate ? Figures.Rate(rate) : "", status.Left is { } left ? $"{Figures.Duration(left)} left" : "", p.Detail);
    }

    /// <summary>"1300 samples in 25 s  52.1/s  loss 0.31".</summary>
    public static string Done(StageStatus status)
    {
        var p = status.Progress;
        return Join(Text($"{p.Done} {p.Unit} in {Figures.Duration(status.Elapsed)}"), status.Rate is { } rate ? Figures.Rate(rate) : "", p.Detail);
    }

    /// <summary>One whole line: the name, padded, and where it stands.</summary>
    public static string Line(StageStatus status) => $"{Name(status.Progress),-24} {(status.Finished ? Done(status) : Going(status))}";

    private static string Join(params string[] parts) => string.Join("  ", parts.Where(part => part.Length > 0));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
