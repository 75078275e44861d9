using System.Diagnostics;
using System.Globalization;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
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
    /// <param name="progress">Called after every step, on the caller's thread.</param>
    /// <param name="cancel">Stops after the current step; a checkpoint is written first where there is a folder.</param>
    /// <returns>The trained model.</returns>
    /// <exception cref="ArgumentException">A row does not fit the model, or none teaches anything.</exception>
    /// <exception cref="InvalidDataException">The folder's checkpoint belongs to another model, data or recipe.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancel"/> was raised before the last step.</exception>
    /// <exception cref="InvalidOperationException">Training diverged.</exception>
    public static ModelWeights Train(ModelWeights start, IReadOnlyList<TokenRow> rows, SftOptions options, Action<SftProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(options);
        RowCheck.Rows(rows, start.Config);
        var plan = SftPlan.Steps(rows, options);
        TorchLibrary.Initialize();
        using var decoder = new Decoder(start, options.Bf16);
        using var optimizer = new DecoderOptimizer(decoder, options.Optimizer, options.WeightDecay, options.ClipNorm);
        var tensors = Checkpoint.Name(decoder, optimizer.AdamState, optimizer.MuonState);
        var recipe = options.CheckpointFolder is null ? "" : Recipe(start, rows, options);
        var state = (options.CheckpointFolder is { } folder ? Checkpoint.TryLoad(folder, tensors, recipe) : null) ?? new RunState();

        void Save()
        {
            if (options.CheckpointFolder is { } to) Checkpoint.Save(to, tensors, state, recipe);
        }

        var sinceCheckpoint = Stopwatch.StartNew();
        while (state.Step < plan.Count)
        {
            if (cancel.IsCancellationRequested)
            {
                Save();
                cancel.ThrowIfCancellationRequested();
            }

            var clock = Stopwatch.StartNew();
            TokenRow[] batch = [.. plan[(int)state.Step].Select(i => rows[i])];
            var share = CosineSchedule.Share(state.Step, plan.Count, options.WarmUpShare, options.MinimumShare);
            var total = WeightedLoss.TotalWeight(batch);
            var loss = WeightedLoss.Batches(batch, options.MicroBatchTokens).Sum(micro => WeightedLoss.Backward(decoder, micro, total)) / total;
            optimizer.Step(options.LearningRate * share, options.MuonLearningRate * share);
            var tokens = batch.Sum(row => (long)row.Tokens.Length);
            state = new RunState(state.Step + 1, state.Row + batch.Length, state.Tokens + tokens, state.Seconds + clock.Elapsed.TotalSeconds);
            progress?.Invoke(new(state.Step, plan.Count, loss, options.LearningRate * share, tokens / clock.Elapsed.TotalSeconds));
            if (sinceCheckpoint.Elapsed.TotalSeconds < options.CheckpointSeconds) continue;
            Save();
            sinceCheckpoint.Restart();
        }

        Save();
        return decoder.ToWeights();
    }

    // Everything that decides the result, except where and how often it is saved.
    private static string Recipe(ModelWeights start, IReadOnlyList<TokenRow> rows, SftOptions options) => string.Create(CultureInfo.InvariantCulture,
        $"sft start={Fingerprint.Of(start)} rows={Fingerprint.Of(rows)} epochs={options.Epochs} {options.Optimizer} rate={options.LearningRate}/{options.MuonLearningRate} minimum={options.MinimumShare} warm-up={options.WarmUpShare} tokens={options.TokensPerStep}/{options.MicroBatchTokens} clip={options.ClipNorm} decay={options.WeightDecay} seed={options.Seed}");
}
