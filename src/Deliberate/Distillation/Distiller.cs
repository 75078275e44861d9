using System.Globalization;
using Deliberate.Generation;

namespace Deliberate.Distillation;

/// <summary>
/// Turns judged samples into training examples: selects the best of each prompt and strips the specification (paper, sections 2.3.2 and
/// 2.3.3). It is the only maker of training examples. Thread-safe.
/// </summary>
public sealed class Distiller
{
    private readonly DistillerOptions _options;
    private readonly SpecLeak _leak;

    /// <summary>A distiller with these options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Distiller(DistillerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Threshold is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(options), options.Threshold, "The threshold is a score from 0 to 1.");
        ArgumentOutOfRangeException.ThrowIfLessThan(options.KeepPerPrompt, 1);
        (_options, _leak) = (options, new SpecLeak(options.LeakWords));
    }

    /// <summary>Selects and strips.</summary>
    public DistillationResult Distill(IReadOnlyList<JudgedSample> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var reasons = samples.Select(Fault).ToArray();
        foreach (var ofPrompt in Enumerable.Range(0, samples.Count).Where(index => reasons[index] is null).GroupBy(index => samples[index].Sample.Prompt.Id).ToArray())
        {
            var kept = new HashSet<(string, string)>();
            foreach (var index in ofPrompt.OrderByDescending(index => samples[index].Judgement!.Min).ThenBy(index => samples[index].Sample.Index))
            {
                var completion = samples[index].Sample.Completion;
                reasons[index] = kept.Contains((completion.Thinking, completion.Answer)) ? "a copy of a kept sample"
                    : kept.Count == _options.KeepPerPrompt ? "enough better samples of this prompt"
                    : null;
                if (reasons[index] is null) kept.Add((completion.Thinking, completion.Answer));
            }
        }

        return new(
            [.. samples.Where((_, index) => reasons[index] is null).Select(Example)],
            [.. samples.Zip(reasons).Where(pair => pair.Second is not null).Select(pair => new RejectedSample(pair.First.Sample, pair.Second!, pair.First.Action))],
            Count(samples, reasons));
    }

    private static TrainingExample Example(JudgedSample judged)
    {
        var (sample, prompt) = (judged.Sample, judged.Sample.Prompt);
        return new(sample.Id, prompt.Conversation, sample.Completion.Thinking, sample.Completion.Answer, sample.Provenance)
        {
            Category = prompt.Category,
            Action = judged.Action,
            Source = prompt.Tags?.GetValueOrDefault(TrainingExample.SourceTag),
            Licence = prompt.Tags?.GetValueOrDefault(TrainingExample.LicenceTag),
        };
    }

    // Why a sample may not be trained on, whatever the others of its prompt are like.
    private string? Fault(JudgedSample judged)
    {
        if (judged.FormatReason is not null) return $"format: {judged.FormatReason}";
        if (judged.Judgement?.Min is not { } score) return "unscored";
        if (score < _options.Threshold)
            return string.Create(CultureInfo.InvariantCulture, $"scored {score:0.###}, below {_options.Threshold:0.###}: {judged.Judgement.Worst!.Reason}");
        return Leak(judged) is { } leak ? $"leak: {leak}" : null;
    }

    private string? Leak(JudgedSample judged)
    {
        var (prompt, completion) = (judged.Sample.Prompt.Conversation, judged.Sample.Completion);
        if (prompt.Turns.Select(turn => _leak.InPrompt(turn.Text, judged.Spec)).FirstOrDefault(leak => leak is not null) is { } inPrompt) return $"the prompt {inPrompt}";
        if (_leak.InAnswer(completion.Answer, judged.Spec) is { } inAnswer) return $"the answer {inAnswer}";
        return SpecLeak.Reference(completion.Thinking) is { } inThought ? $"the thought {inThought}" : null;
    }

    private static Survival[] Count(IReadOnlyList<JudgedSample> samples, string?[] reasons) =>
    [
        .. samples.Zip(reasons)
            .GroupBy(pair => (Category: pair.First.Sample.Prompt.Category ?? "none", Action: pair.First.Action ?? "unknown"))
            .Select(group => new Survival(group.Key.Category, group.Key.Action, group.Count(pair => pair.Second is null), group.Count()))
            .OrderBy(survival => survival.Category, StringComparer.Ordinal)
            .ThenBy(survival => survival.Action, StringComparer.Ordinal),
    ];
}
