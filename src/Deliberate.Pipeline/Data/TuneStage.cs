using System.Globalization;
using Deliberate.Distillation;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Models;
using Deliberate.Inference.Templates;
using Deliberate.Runs;
using Deliberate.Training.Decoding;
using Deliberate.Training.Lora;
using Deliberate.Training.Sft;

namespace Deliberate.Pipeline.Data;

/// <summary>What fine-tuning did.</summary>
/// <param name="Key">Names the model.</param>
/// <param name="Rows">Examples that were learned.</param>
/// <param name="Left">Examples that were left out, by reason.</param>
/// <param name="Losses">Loss of every step, nats a token.</param>
/// <param name="Computed">In which type it was computed, and why.</param>
internal sealed record TunedModel(string Key, int Rows, IReadOnlyDictionary<string, int> Left, IReadOnlyList<double> Losses, string? Computed = null);

/// <summary>
/// Supervised fine-tuning of a model of this machine on the distilled examples, by low-rank adapters or in full (paper, section 2.3.3): <c>models/sft</c> with
/// the merged weights, and <c>models/sft/adapter</c> in PEFT's layout.
/// </summary>
internal sealed class TuneStage(DataContext run, IProgress<StageProgress>? progress)
{
    /// <param name="examples">The distilled examples.</param>
    /// <param name="arm"><see cref="Arms.Sft"/>, or <see cref="Arms.InstantRefusal"/>, which learns the answers without their thoughts.</param>
    /// <param name="cancel">Stops after the current step; a checkpoint is kept.</param>
    /// <exception cref="AlignmentException">The base model cannot be trained here, or no example fits.</exception>
    public TunedModel Train(DistilledCounts examples, string arm, CancellationToken cancel)
    {
        var (options, folder) = (run.Options.Tuning, run.ModelFolder(arm));
        var key = StageKey.Of("tuned-1", examples.Key, run.Clients.Base.Name, options.Full, options.Rank, options.Epochs, options.LearningRate, options.RowTokens, options.TokensPerStep, run.Options.Seed, arm);
        if (run.Finished<TunedModel>(arm, key, Path.Combine("models", arm, "config.json")) is { } done) return done;
        using var model = run.OpenBase();
        var left = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var rows = Rows(model, arm, left);
        if (rows.Count == 0) throw new AlignmentException($"no example can be trained on: {string.Join(", ", left.Select(entry => $"{entry.Value} {entry.Key}"))}. Raise --row-tokens, or generate shorter thoughts.");
        var losses = new List<double>();
        var recipe = new SftOptions
        {
            Epochs = options.Epochs,
            LearningRate = options.LearningRate ?? (options.Full ? 2e-5 : 2e-4),
            TokensPerStep = options.TokensPerStep,
            MicroBatchTokens = Math.Max(1024, options.RowTokens),
            Lora = options.Lora(run.Seed("lora")),
            Packing = true,
            DecayVectors = false,
            Device = options.Device,
            Seed = run.Seed("sft"),
            CheckpointFolder = run.PathOf(Path.Combine("checkpoints", $"{arm}-{key}")),
            CheckpointSeconds = 60,
        };
        void Step(SftProgress step)
        {
            losses.Add(Math.Round(step.Loss, 5));
            progress?.Report(new("sft", arm, (int)step.Step, (int)step.Steps, "steps", string.Create(CultureInfo.InvariantCulture, $"loss {step.Loss:0.000}, {step.TokensPerSecond:0} tokens/s")));
        }

        if (options.Full) ModelWriter.Write(folder, SftTrainer.Train(model.Weights, rows, recipe, Step, cancel), from: model.Path);
        else
        {
            var adapter = SftTrainer.TrainAdapter(model.Weights, rows, recipe, Step, cancel);
            PeftFolder.Save(Path.Combine(folder, "adapter"), adapter, run.Options.Models.Base?.Name.ToString());
            ModelWriter.Write(folder, adapter.Merge(model.Weights), from: model.Path);
        }

        return run.Finish(arm, key, new TunedModel(key, rows.Count, left, losses, Decoder.Choice(model.Weights.Config, !options.Full, options.Device).Told));
    }

    /// <summary>The first examples as the model would see them, with the parts that the loss covers.</summary>
    public IReadOnlyList<MaskedPrompt> Masks(int count)
    {
        using var model = run.OpenBase();
        var format = (TemplateFormat)model.Format;
        return [.. TrainingFile.Read(run.PathOf(DistillStage.File)).Take(count).Select(example => format.Masked(example.Conversation.ToMessages(), example.Thinking, example.Answer))];
    }

    private List<TokenRow> Rows(LocalModel model, string arm, SortedDictionary<string, int> left)
    {
        var rows = new List<TokenRow>();
        foreach (var full in TrainingFile.Read(run.PathOf(DistillStage.File)))
        {
            var example = arm == Arms.InstantRefusal ? full.ToInstantAnswer() : full;
            try
            {
                var row = model.Format.Row(example.Conversation.ToMessages(), example.Thinking, example.Answer);
                if (row.Tokens.Length <= run.Options.Tuning.RowTokens) rows.Add(row);
                else Leave("too long");
            }
            catch (TemplateException problem)
            {
                Leave(problem.Message);
            }
        }

        return rows;

        void Leave(string reason) => left[reason] = left.GetValueOrDefault(reason) + 1;
    }
}
