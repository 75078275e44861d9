using System.Globalization;
using Deliberate.Distillation;
using Deliberate.Reports;
using Deliberate.Training.Sft;

namespace Deliberate.Pipeline.Stages;

/// <summary>Supervised fine-tuning on the distilled examples (paper, section 2.3.3), with their thoughts or, as a control, without.</summary>
internal sealed class SftStage(RunContext run, StageClock clock, ArmStore store, IProgress<StageProgress>? progress)
{
    /// <summary>Trains <see cref="Arms.Sft"/> or <see cref="Arms.InstantRefusal"/>.</summary>
    public Task<ArmModel> TrainAsync(string arm, IReadOnlyList<TrainingExample> examples, CancellationToken cancel) =>
        clock.RunAsync("sft", arm, () => store.TryLoad(arm), () =>
        {
            var rows = TrainingRows.Of(arm == Arms.InstantRefusal ? examples.Select(example => example.ToInstantAnswer()) : examples, run.Base.Tokenizer);
            rows = [.. rows, .. TrainingRows.Readings(run.Seed("readings"), run.Sizes.Readings, run.Base.Tokenizer)];
            var losses = new List<IReadOnlyList<double>>();
            var options = run.Sizes.Sft with { Seed = run.Seed("sft"), CheckpointFolder = store.Scratch(arm), CheckpointSeconds = 20 };
            var weights = SftTrainer.Train(run.Base.Weights, rows, options, step =>
            {
                losses.Add([step.Step, Math.Round(step.Loss, 5)]);
                progress?.Report(new("sft", arm, (int)step.Step, (int)step.Steps, "steps", string.Create(CultureInfo.InvariantCulture, $"loss {step.Loss:0.000}, {step.TokensPerSecond:0} tokens/s")));
            }, cancel);
            return Task.FromResult(store.Save(arm, new(weights, new([new ReportCurve(arm, "loss", losses)], [], [], losses.Count))));
        }, model => model.Log.Steps);
}
