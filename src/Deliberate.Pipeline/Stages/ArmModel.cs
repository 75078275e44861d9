using Deliberate.Inference.Models;
using Deliberate.Reports;

namespace Deliberate.Pipeline.Stages;

/// <summary>A trained arm: its parameters and what training showed.</summary>
/// <param name="Weights">The parameters.</param>
/// <param name="Log">The curves and alarms.</param>
internal sealed record ArmModel(ModelWeights Weights, TrainingLog Log);

/// <summary>What training showed.</summary>
/// <param name="Curves">Curves by name.</param>
/// <param name="Alarms">Alarms, oldest first.</param>
/// <param name="Notes">Plain sentences for the report.</param>
/// <param name="Steps">Optimiser steps.</param>
internal sealed record TrainingLog(IReadOnlyList<ReportCurve> Curves, IReadOnlyList<ReportAlarm> Alarms, IReadOnlyList<string> Notes, int Steps);

/// <summary>Keeps trained arms in the run's folder, in Hugging Face's layout.</summary>
internal sealed class ArmStore(RunContext run)
{
    /// <summary>Where an arm's model lies once it is trained.</summary>
    public string PathOf(string arm) => Path.Combine(run.PathOf("models"), arm);

    public ArmModel? TryLoad(string arm)
    {
        if (!run.Store.TryLoad<TrainingLog>($"training-{arm}", run.Key, out var log) || !Directory.Exists(PathOf(arm))) return null;
        return new(ModelFolder.Load(PathOf(arm)).Weights, log);
    }

    public ArmModel Save(string arm, ArmModel model)
    {
        Directory.CreateDirectory(run.PathOf("models"));
        ModelFolder.Save(PathOf(arm), model.Weights, run.Base.Tokenizer, StorageType.F32, new Dictionary<string, string>
        {
            ["arm"] = arm,
            ["policy_hash"] = run.Policy.Hash,
            ["base"] = run.Base.Fingerprint,
            ["seed"] = run.Options.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture),
        });
        // Last, so that a model without its log counts as unfinished.
        run.Store.Save($"training-{arm}", run.Key, model.Log);
        run.Store.ClearScratch($"training-{arm}", run.Key);
        return model;
    }

    /// <summary>Where an arm's checkpoints lie while it is trained.</summary>
    public string Scratch(string arm) => run.Store.ScratchPath($"training-{arm}", run.Key);
}
