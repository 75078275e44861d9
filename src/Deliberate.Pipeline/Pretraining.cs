using System.Globalization;
using Deliberate.Evaluation;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Deliberate.Training.Pretraining;

namespace Deliberate.Pipeline;

/// <summary>What to pretrain, and for how long.</summary>
public sealed record PretrainingOptions
{
    /// <summary>Where the finished model is written: <c>config.json</c>, <c>model.safetensors</c>, <c>tokenizer.json</c> and a model card.</summary>
    public required string Out { get; init; }

    /// <summary>Where checkpoints are kept. A run that was interrupted goes on from there.</summary>
    public required string Work { get; init; }

    /// <summary>Training time in minutes, over all resumed parts.</summary>
    public double Minutes { get; init; } = 46;

    /// <summary>Rows after which policies are at their richest.</summary>
    public long CurriculumRows { get; init; } = 20_000;

    /// <summary>Seed of parameters, tokenizer and corpus.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Cases for each measured ability.</summary>
    public int Cases { get; init; } = 1_000;

    /// <summary>Policy folders whose clauses must not occur, category by category, as a set in the corpus.</summary>
    public IReadOnlyList<string> ReservedPolicies { get; init; } = [];
}

/// <summary>
/// Pretrains the miniature: a helpful-only, policy-agnostic base model that reads any policy in its context. Its corpus is made on
/// the fly; nothing is downloaded.
/// </summary>
public static class Pretraining
{
    /// <summary>
    /// The shape of the miniature: 2.4 million parameters. The base of the rotary frequencies is large, so that more than half of
    /// a head's dimensions turn slowly enough to compare what stands some hundred tokens apart.
    /// </summary>
    public static ModelConfig Shape(int vocabulary) => new()
    {
        VocabSize = vocabulary,
        HiddenSize = 192,
        Layers = 5,
        Heads = 6,
        KvHeads = 3,
        HeadDim = 32,
        FeedForward = 512,
        MaxPositions = 1024,
        RopeTheta = 1_000_000,
    };

    /// <summary>Trains, or goes on, until the time is used up; then writes the model with its measured abilities.</summary>
    /// <param name="options">What and where.</param>
    /// <param name="log">Hears a line now and then.</param>
    /// <param name="cancel">Stops after a step; the checkpoint is kept and no model is written.</param>
    public static void Run(PretrainingOptions options, Action<string> log, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        Directory.CreateDirectory(options.Work);
        var tokenizerPath = Path.Combine(options.Work, "tokenizer.json");
        if (!File.Exists(tokenizerPath)) MiniatureTokenizer.Train(options.Seed).Save(tokenizerPath);
        var tokenizer = BpeTokenizer.Load(tokenizerPath);
        var rows = new PretrainingRows(tokenizer, options.Seed + 4, Reserved(options.ReservedPolicies));
        PretrainProgress? last = null;
        var weights = Pretrainer.Train(Shape(tokenizer.VocabSize), (index, _) => rows.Row(index, Math.Min(1, (double)index / options.CurriculumRows)),
            new PretrainOptions { CheckpointFolder = options.Work, Minutes = options.Minutes, Seed = options.Seed }, step =>
            {
                last = step;
                if (step.Step % 20 == 0)
                    log(string.Create(CultureInfo.InvariantCulture, $"step {step.Step}: {step.Progress:0.0%} of the time, loss {step.Loss:0.0000}, {step.Tokens / 1e6:0.00}M tokens, {step.TokensPerSecond:0} tokens/s, {options.Minutes - step.Minutes:0} min left"));
            }, cancel);
        cancel.ThrowIfCancellationRequested();
        Write(options, weights, tokenizer, last, log);
    }

    /// <summary>Measures a model's abilities and writes it with its card.</summary>
    /// <param name="options">Where.</param>
    /// <param name="weights">The parameters.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="last">The last step, for the card; null where it is not known.</param>
    /// <param name="log">Hears a line for each figure.</param>
    public static void Write(PretrainingOptions options, ModelWeights weights, BpeTokenizer tokenizer, PretrainProgress? last, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        ModelFolder.Save(options.Out, weights, tokenizer, StorageType.BF16, new Dictionary<string, string> { ["seed"] = options.Seed.ToString(CultureInfo.InvariantCulture) });
        // Measured on what was written, so that rounding to bf16 counts.
        var model = ModelFolder.Load(options.Out);
        var abilities = Measure(model, options.Cases, MeasureSeed, log);
        Runs.AtomicFile.WriteText(Path.Combine(options.Out, "README.md"), ModelCard.Write(model, options, last, abilities));
    }

    /// <summary>Seed of the measured cases, which pretraining does not use.</summary>
    public const int MeasureSeed = 20_260_101;

    /// <summary>Measures the abilities of a base model on random policies that it has never seen.</summary>
    /// <param name="model">The model.</param>
    /// <param name="cases">Cases of each kind.</param>
    /// <param name="seed">Seed of policies and requests.</param>
    /// <param name="log">Hears a line for each figure.</param>
    /// <param name="cancel">Stops between two kinds.</param>
    public static IReadOnlyList<(string Title, IReadOnlyDictionary<string, Metric> Metrics)> Measure(ModelFolder model, int cases, int seed, Action<string> log, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(log);
        using var generator = new Generator(model.Weights);
        var measure = new BaseAbilities(generator, model.Tokenizer, seed);
        var abilities = new List<(string, IReadOnlyDictionary<string, Metric>)>();
        foreach (var (title, kind) in new (string, Func<IReadOnlyDictionary<string, Metric>>)[]
        {
            ("Following a policy in context", () => measure.Follow(cases)),
            ("Judging an answer by a policy in context", () => measure.Judge(Math.Max(1, cases / 7), runs: 4)),
            ("Judging a thought and its answer", () => measure.Judge(Math.Max(1, cases / 7), runs: 4, thoughtShown: true)),
            ("Helping when there is no policy", () => measure.Help(cases)),
        })
        {
            cancel.ThrowIfCancellationRequested();
            abilities.Add((title, kind()));
            foreach (var (name, metric) in abilities[^1].Item2) log($"{title}: {name}: {metric}");
        }

        return abilities;
    }

    private static HashSet<string> Reserved(IReadOnlyList<string> folders) =>
    [
        .. folders.SelectMany(folder => PolicyReading.Read(Policy.Load(folder)).Clauses.GroupBy(clause => clause.Category)).Select(PretrainingRows.ClauseSet),
    ];
}
