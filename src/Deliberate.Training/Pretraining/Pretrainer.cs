using System.Diagnostics;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Native;
using Deliberate.Training.Optimizers;

namespace Deliberate.Training.Pretraining;

/// <summary>Trains a model from scratch on an endless source of rows, by AdamW or, for the block matrices, by Muon.</summary>
public static class Pretrainer
{
    /// <summary>Trains, or goes on from the last checkpoint in the folder.</summary>
    /// <param name="config">The shape of the model.</param>
    /// <param name="row">Makes the row with this index at this progress; called on another thread, one step ahead.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="progress">Called after every step.</param>
    /// <param name="cancel">Stops after the current step and writes a checkpoint.</param>
    /// <returns>The trained parameters.</returns>
    public static ModelWeights Train(ModelConfig config, Func<long, double, TokenRow> row, PretrainOptions options, Action<PretrainProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(row);
        TorchLibrary.Initialize();
        Directory.CreateDirectory(options.CheckpointFolder);
        using var decoder = new Decoder(options.Start ?? LookupInitialisation.Random(config, options.Seed), options.Bf16);
        var withMuon = options.MuonLearningRate > 0;
        using var adam = new AdamW(withMuon ? decoder.Others : decoder.Parameters);
        using var muon = new Muon(withMuon ? decoder.Matrices : [], withMuon ? decoder.MatrixParts : null);
        var state = new RunState();
        var tensors = Checkpoint.Name(decoder, adam.State, muon.State);
        state = Checkpoint.TryLoad(options.CheckpointFolder, tensors) ?? state;

        double Share(RunState at) => Math.Min(1, options.Steps > 0 ? (double)at.Step / options.Steps : at.Seconds / (60 * options.Minutes));
        // Rows are made one step ahead, for the progress known then; the step they were made for is part of what a checkpoint holds.
        Task<(TokenRow[] Rows, long Next)> Ahead(long from, double share) => Task.Run(() => Gather(row, from, share, options.TokensPerStep), CancellationToken.None);
        var next = Ahead(state.Row, Share(state));
        var sinceCheckpoint = Stopwatch.StartNew();
        while (Share(state) < 1 && !cancel.IsCancellationRequested)
        {
            var clock = Stopwatch.StartNew();
            var (rows, nextRow) = next.GetAwaiter().GetResult();
            var share = Share(state);
            next = Ahead(nextRow, share);
            var loss = Step(decoder, adam, muon, rows, options, state.Step, share);
            var tokens = rows.Sum(r => (long)r.Tokens.Length);
            state = new RunState(state.Step + 1, nextRow, state.Tokens + tokens, state.Seconds + clock.Elapsed.TotalSeconds);
            progress?.Invoke(new(state.Step, Share(state), loss, state.Tokens, tokens / clock.Elapsed.TotalSeconds, state.Seconds / 60));
            if (sinceCheckpoint.Elapsed.TotalMinutes < options.CheckpointMinutes) continue;
            Checkpoint.Save(options.CheckpointFolder, tensors, state);
            sinceCheckpoint.Restart();
        }

        Checkpoint.Save(options.CheckpointFolder, tensors, state);
        return decoder.ToWeights();
    }

    private static double Step(Decoder decoder, AdamW adam, Muon muon, TokenRow[] rows, PretrainOptions options, long step, double share)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        Gradients.Zero(decoder.Parameters);
        var total = WeightedLoss.TotalWeight(rows);
        double loss = 0;
        foreach (var batch in WeightedLoss.Batches(rows, options.MicroBatchTokens)) loss += WeightedLoss.Backward(decoder, batch, total);
        Gradients.Clip(decoder.Parameters, options.ClipNorm);
        var rate = Math.Min(1.0, (step + 1.0) / options.WarmUpSteps) * (share < options.DecayFrom ? 1 : (1 - share) / (1 - options.DecayFrom));
        adam.Step(options.AdamLearningRate * rate);
        muon.Step(options.MuonLearningRate * rate, options.MuonDecay);
        return loss / total;
    }

    private static (TokenRow[], long) Gather(Func<long, double, TokenRow> row, long from, double share, int tokens)
    {
        var rows = new List<TokenRow>();
        for (var taken = 0; taken < tokens; from++)
        {
            rows.Add(row(from, share));
            taken += rows[^1].Tokens.Length;
        }

        return ([.. rows], from);
    }
}
