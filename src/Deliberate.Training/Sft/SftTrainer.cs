using System.Diagnostics;
using System.Globalization;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Lora;
using Deliberate.Training.Native;
using Deliberate.Training.Optimizers;
using Deliberate.Training.Pretraining;

namespace Deliberate.Training.Sft;

/// <summary>
/// Supervised fine-tuning: lowers the weighted next-token loss of given rows. In deliberative alignment this is where a model
/// learns to reason over a specification that its prompt no longer shows (Guan et al. 2024, section 2.2).
/// </summary>
public static class SftTrainer
{
    /// <summary>Trains, or goes on from the checkpoint in the folder; a resumed run ends in the same bytes as an unbroken one.</summary>
    /// <param name="start">The model to start from; not changed.</param>
    /// <param name="rows">What to learn. Rows without any loss weight are left out.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="progress">Called after every step, on the training's thread, which waits for it.</param>
    /// <param name="cancel">Stops after the current step; a checkpoint is written first where there is a folder.</param>
    /// <returns>The trained model, with adapters merged in.</returns>
    /// <exception cref="ArgumentException">A row does not fit the model, or none teaches anything.</exception>
    /// <exception cref="InvalidDataException">The folder's checkpoint belongs to another model, data or recipe.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancel"/> was raised before the last step.</exception>
    /// <exception cref="InvalidOperationException">Training diverged.</exception>
    /// <exception cref="NotSupportedException">The device is not there, or Muon is to move adapters.</exception>
    public static ModelWeights Train(ModelWeights start, IReadOnlyList<TokenRow> rows, SftOptions options, Action<SftProgress>? progress = null, CancellationToken cancel = default) =>
        Train(start, rows, options, progress, decoder => decoder.ToWeights(), cancel);

    /// <summary>The same for adapters alone (<see cref="SftOptions.Lora"/> or <see cref="SftOptions.StartAdapter"/>): returns them, not merged.</summary>
    /// <exception cref="ArgumentException">The options ask for no adapter; else as <see cref="Train(ModelWeights, IReadOnlyList{TokenRow}, SftOptions, Action{SftProgress}?, CancellationToken)"/>.</exception>
    public static LoraAdapter TrainAdapter(ModelWeights start, IReadOnlyList<TokenRow> rows, SftOptions options, Action<SftProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Lora is null && options.StartAdapter is null) throw new ArgumentException("The options ask for no adapter: set Lora or StartAdapter.", nameof(options));
        return Train(start, rows, options, progress, decoder => decoder.ToAdapter(), cancel);
    }

    private static T Train<T>(ModelWeights start, IReadOnlyList<TokenRow> rows, SftOptions options, Action<SftProgress>? progress, Func<Decoder, T> result, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(options);
        RowCheck.Rows(rows, start.Config);
        TorchLibrary.Initialize();
        using var thread = TrainingThread.Rent();
        return thread.Run(() => Learn(start, rows, options, progress, result, cancel));
    }

    private static T Learn<T>(ModelWeights start, IReadOnlyList<TokenRow> rows, SftOptions options, Action<SftProgress>? progress, Func<Decoder, T> result, CancellationToken cancel)
    {
        var plan = SftPlan.Steps(rows, options);
        var adapter = AdapterStart.Of(start.Config, options.Lora, options.StartAdapter);
        using var decoder = new Decoder(start, new DecoderOptions { Bf16 = options.Bf16, Adapter = adapter, Device = options.Device, GradientCheckpointing = options.GradientCheckpointing });
        using var optimizer = new DecoderOptimizer(decoder, options.Optimizer, options.WeightDecay, options.ClipNorm, options.Beta1, options.Beta2, options.Epsilon, options.DecayVectors);
        var tensors = Checkpoint.Name(decoder, optimizer.AdamState, optimizer.MuonState);
        var recipe = options.CheckpointFolder is null ? "" : Recipe(start, rows, options, adapter, decoder);
        var state = (options.CheckpointFolder is { } folder ? Checkpoint.TryLoad(folder, tensors, recipe) : null) ?? new RunState();

        void Save()
        {
            if (options.CheckpointFolder is { } to) Checkpoint.Save(to, tensors, state, recipe);
        }

        var (sinceCheckpoint, memory) = (Stopwatch.StartNew(), new FreedMemory());
        while (state.Step < plan.Count)
        {
            if (cancel.IsCancellationRequested)
            {
                Save();
                cancel.ThrowIfCancellationRequested();
            }

            var clock = Stopwatch.StartNew();
            TokenRow[] batch = [.. plan[(int)state.Step].Select(i => rows[i])];
            var share = ShareOf(options, state.Step, plan.Count);
            var total = WeightedLoss.TotalWeight(batch);
            var loss = WeightedLoss.Batches(batch, options.MicroBatchTokens, options.Packing).Sum(micro => WeightedLoss.Backward(decoder, micro, total, options.Packing)) / total;
            var norm = optimizer.Step(options.LearningRate * share, options.MuonLearningRate * share);
            var tokens = batch.Sum(row => (long)row.Tokens.Length);
            state = new RunState(state.Step + 1, state.Row + batch.Length, state.Tokens + tokens, state.Seconds + clock.Elapsed.TotalSeconds);
            progress?.Invoke(new(state.Step, plan.Count, loss, options.LearningRate * share, tokens / clock.Elapsed.TotalSeconds) { GradientNorm = norm });
            memory.AfterStep();
            if (sinceCheckpoint.Elapsed.TotalSeconds < options.CheckpointSeconds) continue;
            Save();
            sinceCheckpoint.Restart();
        }

        Save();
        return result(decoder);
    }

    private static double ShareOf(SftOptions options, long step, long steps) => options.WarmUpSteps is { } warmUp
        ? Schedule.Share(options.Schedule, step, steps, warmUp, options.MinimumShare)
        : CosineSchedule.Share(options.Schedule, step, steps, options.WarmUpShare, options.MinimumShare);

    // Everything that decides the result, except where and how often it is saved. What is beyond the miniature's recipe appears only where it is used, so that older checkpoints go on.
    private static string Recipe(ModelWeights start, IReadOnlyList<TokenRow> rows, SftOptions options, LoraAdapter? adapter, Decoder decoder)
    {
        var recipe = string.Create(CultureInfo.InvariantCulture,
            $"sft start={Fingerprint.Of(start)} rows={Fingerprint.Of(rows)} epochs={options.Epochs} {options.Optimizer} rate={options.LearningRate}/{options.MuonLearningRate} minimum={options.MinimumShare} warm-up={options.WarmUpShare} tokens={options.TokensPerStep}/{options.MicroBatchTokens} clip={options.ClipNorm} decay={options.WeightDecay} seed={options.Seed}");
        var standard = new SftOptions();
        void Add<T>(T value, T usual, string name)
        {
            if (!EqualityComparer<T>.Default.Equals(value, usual)) recipe += string.Create(CultureInfo.InvariantCulture, $" {name}={value}");
        }

        Add(options.Schedule, standard.Schedule, "schedule");
        Add(options.WarmUpSteps, standard.WarmUpSteps, "warm-up-steps");
        Add(options.RowsPerStep, standard.RowsPerStep, "rows-a-step");
        Add(options.Shuffle, standard.Shuffle, "shuffle");
        Add(options.DecayVectors, standard.DecayVectors, "decay-vectors");
        Add((options.Beta1, options.Beta2, options.Epsilon), (standard.Beta1, standard.Beta2, standard.Epsilon), "betas-epsilon");
        Add(options.Packing, standard.Packing, "packing");
        Add(options.Device, standard.Device, "device");
        if (adapter is not null) recipe += $" {adapter.Options.Describe()} adapter={Fingerprint.Of(adapter)}";
        if (!decoder.IsPlain) recipe += $" computed={decoder.ComputeType}";
        return recipe;
    }
}
