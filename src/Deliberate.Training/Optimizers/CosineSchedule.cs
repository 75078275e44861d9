namespace Deliberate.Training.Optimizers;

/// <summary>Linear warm-up, then half a cosine down to a share of the peak (Loshchilov and Hutter 2017).</summary>
public static class CosineSchedule
{
    /// <summary>The share of the peak learning rate that step <paramref name="step"/> uses.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="steps">Steps of the whole run.</param>
    /// <param name="warmUpShare">Share of the steps that warm up, 0..1.</param>
    /// <param name="minimumShare">Where the cosine ends, 0..1.</param>
    public static double Share(long step, long steps, double warmUpShare, double minimumShare) => Share(ScheduleKind.Cosine, step, steps, warmUpShare, minimumShare);

    /// <summary>The same for another way down.</summary>
    internal static double Share(ScheduleKind kind, long step, long steps, double warmUpShare, double minimumShare)
    {
        var warmUp = Math.Min(steps, (long)Math.Ceiling(warmUpShare * steps));
        // The first step already learns something, the first step after the warm-up is the peak.
        if (step < warmUp) return (step + 1.0) / (warmUp + 1.0);
        var progress = Math.Min(1, (double)(step - warmUp) / Math.Max(1, steps - warmUp));
        return Schedule.Fall(kind, progress, minimumShare);
    }
}
