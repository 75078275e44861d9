using System.Globalization;
using Deliberate.Evaluation;

namespace Deliberate.Judging.Calibration;

/// <summary>What a judge must show before it may train a model.</summary>
/// <param name="Kappa">The lowest kappa.</param>
/// <param name="FalseGood">The highest share of bad answers that it calls good.</param>
/// <param name="FalseBad">The highest share of good answers that it calls bad.</param>
/// <param name="Unscored">The highest share of answers without a score.</param>
/// <param name="Items">The fewest scored answers, of good ones and of bad ones each.</param>
public sealed record JudgeGate(double Kappa = 0.6, double FalseGood = 0.1, double FalseBad = 0.2, double Unscored = 0.1, int Items = 20)
{
    /// <summary>Why the judge may not train; empty when it may.</summary>
    public IReadOnlyList<string> Problems(CalibrationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var problems = new List<string>();
        var (good, bad) = (report.Counts.Good + report.Counts.FalseBad, report.Counts.Bad + report.Counts.FalseGood);
        if (good < Items || bad < Items) problems.Add(Text($"only {good} good and {bad} bad answers are scored; it takes {Items} of each"));
        // A figure that could not be measured proves nothing.
        if (!(report.Kappa.Value >= Kappa)) problems.Add(Text($"kappa is {Told(report.Kappa)}, below {Kappa:0.###}"));
        if (!(report.FalseGood.Value <= FalseGood)) problems.Add(Text($"of the bad answers it calls {Told(report.FalseGood)} good, more than {FalseGood:0.###}"));
        if (!(report.FalseBad.Value <= FalseBad)) problems.Add(Text($"of the good answers it calls {Told(report.FalseBad)} bad, more than {FalseBad:0.###}"));
        var unscored = report.Counts.Total == 0 ? 1 : (double)report.Counts.Unscored / report.Counts.Total;
        if (!(unscored <= Unscored)) problems.Add(Text($"of the answers {unscored:0.###} have no score, more than {Unscored:0.###}"));
        return problems;
    }

    /// <summary>Lets the judge train, or throws.</summary>
    /// <param name="report">What was measured.</param>
    /// <param name="evenSo">True when the user said that it shall train whatever was measured.</param>
    /// <exception cref="JudgeGateException">The judge may not train.</exception>
    public void Require(CalibrationReport report, bool evenSo = false)
    {
        var problems = Problems(report);
        if (problems.Count > 0 && !evenSo)
            throw new JudgeGateException($"the judge '{report.Judge}' may not train: on {report.Set}, {string.Join("; ", problems)}. Take a better judge, or say that it shall train even so.");
    }

    private static string Told(Metric metric) => metric.N == 0 || !double.IsFinite(metric.Value) ? "not measured" : Text($"{metric.Value:0.###}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A judge does not agree with people well enough to train a model.</summary>
public sealed class JudgeGateException : InvalidOperationException
{
    /// <summary>One line that says what is wrong and what to do.</summary>
    public JudgeGateException(string message) : base(message)
    {
    }
}
