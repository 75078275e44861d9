namespace Deliberate.Training.Optimizers;

/// <summary>How a learning rate falls after its warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>Half a cosine.</summary>
    Cosine,

    /// <summary>A line.</summary>
    Linear,

    /// <summary>Not at all.</summary>
    Constant,
}

/// <summary>The learning rate's share of its peak, step by step, counted as transformers' schedules do.</summary>
internal static class Schedule
{
    /// <summary>The share of the peak that step <paramref name="step"/> uses, from 0.</summary>
    /// <param name="kind">How it falls.</param>
    /// <param name="step">The step, from 0.</param>
    /// <param name="steps">Steps of the whole run.</param>
    /// <param name="warmUp">Steps of the rise from zero.</param>
    /// <param name="minimumShare">Where it ends, 0..1.</param>
    public static double Share(ScheduleKind kind, long step, long steps, long warmUp, double minimumShare)
    {
        if (step < warmUp) return (double)step / warmUp;
        return Fall(kind, Math.Min(1, (double)(step - warmUp) / Math.Max(1, steps - warmUp)), minimumShare);
    }

    /// <summary>The share of the peak after this much of the way down, 0..1.</summary>
    public static double Fall(ScheduleKind kind, double progress, double minimumShare) => kind switch
    {
        ScheduleKind.Cosine => minimumShare + (1 - minimumShare) * 0.5 * (1 + Math.Cos(Math.PI * progress)),
        ScheduleKind.Linear => minimumShare + (1 - minimumShare) * (1 - progress),
        _ => 1,
    };
}
