using System.Text.RegularExpressions;
using Deliberate.Evaluation;
using Deliberate.Runs;

namespace Deliberate.Judging.Calibration;

/// <summary>Measures judges against people. Stateless.</summary>
public static partial class JudgeCalibration
{
    /// <summary>Has a judge judge the answers of a set and compares.</summary>
    /// <param name="judge">The judge.</param>
    /// <param name="name">What the report calls it: its model.</param>
    /// <param name="set">The answers.</param>
    /// <param name="threshold">The lowest score that counts as good, above 0 up to 1. The score of an item is the lowest of its runs.</param>
    /// <param name="bootstrap">Draws the items for the intervals; null: 1,000 draws of seed 0.</param>
    /// <param name="recovery">Where finished verdicts are kept and found again, or null.</param>
    /// <param name="progress">Hears how many verdicts are done.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">The set is empty, or two items have one id.</exception>
    /// <exception cref="InvalidOperationException">Every single call to the judge failed.</exception>
    public static async Task<CalibrationReport> MeasureAsync(
        IAnswerJudge judge, string name, CalibrationSet set, double threshold = 0.5, Bootstrap? bootstrap = null,
        IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(set);
        if (threshold is not (> 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The threshold lies above 0 and up to 1.");
        if (set.Items.Count == 0) throw new ArgumentException($"The set '{set.Name}' holds no answer.", nameof(set));
        bootstrap ??= new Bootstrap(0);
        var judgements = await judge.JudgeAsync([.. set.Items.Select(item => (item.View, item.Spec, item.Id))], recovery, progress, cancellationToken).ConfigureAwait(false);
        var all = set.Items.Zip(judgements, (item, judgement) => (Item: item, Judgement: judgement)).ToArray();
        var scored = all.Where(pair => pair.Judgement.Min is not null).Select(pair => (pair.Item.Good, Said: pair.Judgement.Min >= threshold)).ToArray();
        var unscored = all.Where(pair => pair.Judgement.Min is null).ToArray();
        int Count(bool good, bool said) => scored.Count(pair => pair.Good == good && pair.Said == said);
        Metric Errors(bool good) => bootstrap.Share([.. scored.Where(pair => pair.Good == good).Select(pair => pair.Said != good)], unscored.Count(pair => pair.Item.Good == good));
        return new(
            name, judge.Version, set.Name, set.Hash, set.Question, threshold,
            bootstrap.Share([.. scored.Select(pair => pair.Good == pair.Said)], unscored.Length),
            Agreement.Kappa(scored, bootstrap, unscored.Length),
            Errors(good: false), Errors(good: true), Codes(all, bootstrap),
            new(Count(true, true), Count(true, false), Count(false, true), Count(false, false), unscored.Length),
            unscored.GroupBy(pair => pair.Judgement.Verdicts.First(verdict => verdict.Score is null).Kind ?? VerdictKinds.Unparsable)
                .OrderBy(group => group.Key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count()));
    }

    // A judge may name a clause more finely than people did: "DC2.a" is "DC2". What it names otherwise ("wrong style") is no clause.
    private static Metric? Codes((CalibrationItem Item, Judgement Judgement)[] all, Bootstrap bootstrap)
    {
        var named = all.Where(pair => pair.Item.Label is not null && pair.Judgement.Worst?.Kind is { } kind && Code().IsMatch(kind))
            .Select(pair => pair.Judgement.Worst!.Kind!.Split('.')[0].Equals(pair.Item.Label!.Split('.')[0], StringComparison.OrdinalIgnoreCase)).ToArray();
        return named.Length == 0 || all.All(pair => pair.Item.Label is null) ? null : bootstrap.Share(named, all.Length - named.Length);
    }

    [GeneratedRegex(@"^[A-Za-z]{1,6}[0-9]{1,3}(?:\.\w+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Code();
}
