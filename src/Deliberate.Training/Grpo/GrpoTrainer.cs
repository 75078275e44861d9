using System.Diagnostics;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Lora;
using Deliberate.Training.Native;
using Deliberate.Training.Optimizers;
using Deliberate.Training.Pretraining;
using TorchSharp;
using static TorchSharp.torch;

namespace Deliberate.Training.Grpo;

/// <summary>
/// Group-relative policy optimisation (Shao et al. 2024): makes completions that did better than others of their prompt more
/// likely. Sampling and scoring happen elsewhere; this holds the policy and moves it.
/// </summary>
/// <remarks>Not thread-safe. Holds native memory: dispose it.</remarks>
public sealed class GrpoTrainer : IDisposable
{
    private readonly GrpoOptions _options;
    private readonly Decoder _policy;
    private readonly Decoder? _reference;
    private readonly DecoderOptimizer _optimizer;
    private readonly IReadOnlyList<(string Name, Tensor Tensor)> _tensors;
    private readonly string _recipe;
    private readonly FreedMemory _memory = new();
    private readonly TrainingThread.Lease _thread;
    private RunState _state = new();

    /// <summary>Starts at these weights.</summary>
    /// <param name="start">The policy at the beginning; not changed.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="reference">
    /// What the KL term holds the policy to; null for the start, which is the model without its adapters where those are trained. Without
    /// a KL term it is not used.
    /// </param>
    /// <exception cref="NotSupportedException">The device is not there.</exception>
    public GrpoTrainer(ModelWeights start, GrpoOptions options, ModelWeights? reference = null)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(options);
        TorchLibrary.Initialize();
        _options = options;
        var adapter = AdapterStart.Of(start.Config, options.Lora, options.StartAdapter);
        var settings = new DecoderOptions { Bf16 = options.Bf16, Adapter = adapter, Device = options.Device, GradientCheckpointing = options.GradientCheckpointing };
        _policy = new Decoder(start, settings);
        // With adapters the reference is the policy without them: the base is in memory once.
        if (options.KlCoefficient != 0)
            _reference = adapter is not null && reference is null ? _policy : new Decoder(reference ?? start, settings with { Adapter = null, GradientCheckpointing = null });
        _optimizer = new DecoderOptimizer(_policy, OptimizerKind.AdamW, options.WeightDecay, options.ClipNorm, options.Beta1, options.Beta2, options.Epsilon);
        _tensors = Checkpoint.Name(_policy, _optimizer.AdamState, []);
        _recipe = $"grpo start={Fingerprint.Of(start)} reference={(_reference is null ? "none" : Fingerprint.Of(reference ?? start))}";
        if (adapter is not null) _recipe += $" {adapter.Options.Describe()} adapter={Fingerprint.Of(adapter)}";
        if (!_policy.IsPlain) _recipe += $" computed={_policy.ComputeType}";
        _thread = TrainingThread.Rent();
    }

    /// <summary>Steps done, resumed ones included.</summary>
    public long Steps => _state.Step;

    /// <summary>Moves the policy by one batch of rollouts.</summary>
    /// <param name="rollouts">
    /// The batch. Rollouts without advantage are skipped where there is no KL term (their gradient is zero), but still count in the averages.
    /// </param>
    /// <param name="mixed">Rows to learn by imitation in the same step, so that what SFT taught is kept; null for none.</param>
    /// <returns>What the step did. With nothing to learn from nothing moves.</returns>
    /// <exception cref="ArgumentException">A rollout or row does not fit the model; the message names it.</exception>
    /// <exception cref="InvalidOperationException">Training diverged; the policy is left as it was before the last epoch.</exception>
    public GrpoStep Step(IReadOnlyList<Rollout> rollouts, IReadOnlyList<TokenRow>? mixed = null)
    {
        ArgumentNullException.ThrowIfNull(rollouts);
        Check(rollouts);
        RowCheck.Rows(mixed ??= [], _policy.Config);
        return _thread.Run(() => Learn(rollouts, mixed));
    }

    /// <summary>A copy of the policy, for sampling, with adapters merged in.</summary>
    /// <param name="reuse">An earlier copy, which nobody reads any more: it is overwritten and returned. Null makes a new one.</param>
    /// <exception cref="ArgumentException">The earlier copy is of another shape.</exception>
    public ModelWeights Weights(ModelWeights? reuse = null) => _policy.ToWeights(reuse);

    /// <summary>A copy of the adapters.</summary>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public LoraAdapter Adapter() => _policy.ToAdapter();

    /// <summary>Writes policy, moments and step count to a folder, atomically.</summary>
    public void Save(string folder) => Checkpoint.Save(folder, _tensors, _state, _recipe);

    /// <summary>Goes on from what <see cref="Save"/> wrote, exactly; false where the folder holds nothing.</summary>
    /// <exception cref="InvalidDataException">The checkpoint was made from another starting model or with another reference.</exception>
    public bool TryResume(string folder)
    {
        if (Checkpoint.TryLoad(folder, _tensors, _recipe) is not { } state) return false;
        _state = state;
        return true;
    }

    /// <summary>The loss of a batch and its gradients by Hugging Face's names, without a step; for tests of parity.</summary>
    internal (double Loss, IReadOnlyDictionary<string, float[]> Gradients) LossAndGradients(IReadOnlyList<Rollout> rollouts)
    {
        Gradients.Zero(_policy.Parameters);
        var loss = Backward(new RolloutBatch(rollouts, rollouts, _options)).Loss;
        return (loss, _policy.Gradients());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _policy.Dispose();
        if (_reference != _policy) _reference?.Dispose();
        _thread.Dispose();
    }

    private GrpoStep Learn(IReadOnlyList<Rollout> rollouts, IReadOnlyList<TokenRow> mixed)
    {
        var clock = Stopwatch.StartNew();
        var useful = rollouts.Where(rollout => rollout.Advantage != 0 || _reference is not null);
        var batches = SequenceBatch.Group(useful, rollout => rollout.Tokens.Length, _options.MicroBatchTokens, _options.Packing).ConvertAll(group => new RolloutBatch(group, rollouts, _options));
        var mixedWeight = WeightedLoss.TotalWeight(mixed);
        var mixes = mixedWeight > 0 && _options.SftWeight > 0;
        var (sum, mixedLoss, norm) = (default(Sums), 0.0, 0.0);
        if (batches.Count > 0 || mixes)
        {
            var rate = _options.LearningRate * Math.Min(1, (_state.Step + 1.0) / (_options.WarmUpSteps + 1));
            for (var epoch = 0; epoch < _options.EpochsPerBatch; epoch++)
            {
                Gradients.Zero(_policy.Parameters);
                (sum, mixedLoss) = (default, 0);
                foreach (var batch in batches) sum += Backward(batch);
                if (mixes) mixedLoss = Imitate(mixed, mixedWeight);
                norm = _optimizer.Step(rate, 0);
            }
        }

        var tokens = batches.Sum(batch => batch.Tokens) + (mixes ? mixed.Sum(row => (long)row.Tokens.Length) : 0);
        _state = new RunState(_state.Step + 1, _state.Row + rollouts.Count, _state.Tokens + tokens, _state.Seconds + clock.Elapsed.TotalSeconds);
        _memory.AfterStep();
        var count = Math.Max(1, sum.Count);
        return new(_state.Step, sum.Loss, mixes ? mixedLoss : null, sum.Kl / count, sum.Entropy / count, sum.Clipped / count, norm, tokens, clock.Elapsed.TotalSeconds);
    }

    private Sums Backward(RolloutBatch batch)
    {
        using var scope = NewDisposeScope();
        Tensor? reference = null;
        if (_reference is not null)
        {
            using var _ = no_grad();
            _policy.Adapted = _reference != _policy;
            reference = batch.Sequences.LogProbabilities(_reference, _options.Temperature).Chosen;
            _policy.Adapted = true;
        }

        var (current, entropy) = batch.Sequences.LogProbabilities(_policy, _options.Temperature);
        // With one epoch and no record of the sampler the policy is its own "old": no second forward pass.
        if (_options.EpochsPerBatch > 1) batch.Old ??= current.detach().cpu().data<float>().ToArray();
        Tensor Place(float[] values) => tensor(values, device: _policy.Device);
        var old = batch.Old is null ? null : Place(batch.Old);
        var (loss, kl, clipped) = PolicyLoss.Of(current, old, reference, Place(batch.Advantages), Place(batch.Weights), batch.Lengths, _options);
        batch.Sequences.Backward(loss);
        return new(batch.Sequences.Predicted, loss.ToDouble(), kl, entropy(), clipped);
    }

    private double Imitate(IReadOnlyList<TokenRow> rows, double total) =>
        WeightedLoss.Batches(rows, _options.MicroBatchTokens, _options.Packing).Sum(batch => WeightedLoss.Backward(_policy, batch, total / _options.SftWeight, _options.Packing)) / total;

    private void Check(IReadOnlyList<Rollout> rollouts)
    {
        for (var i = 0; i < rollouts.Count; i++)
        {
            var rollout = rollouts[i];
            RowCheck.Tokens("Rollout", i, rollout.Tokens, _policy.Config);
            if (rollout.PromptLength < 1 || rollout.CompletionLength < 1)
                throw new ArgumentException($"Rollout {i}: PromptLength is {rollout.PromptLength} of {rollout.Tokens.Length} tokens; prompt and completion need at least one each.");
            if (!double.IsFinite(rollout.Advantage)) throw new ArgumentException($"Rollout {i}: the advantage is {rollout.Advantage}; leave a rollout without a score out.");
            if (rollout.LogProbabilities is { } given && given.Length != rollout.CompletionLength)
                throw new ArgumentException($"Rollout {i} has {rollout.CompletionLength} completion tokens and {given.Length} log-probabilities; each needs one, or pass null.");
            if (rollout.LogProbabilities is null != rollouts[0].LogProbabilities is null)
                throw new ArgumentException($"Rollout {i}: give the log-probabilities of all rollouts of a batch, or of none.");
        }
    }

    private readonly record struct Sums(long Count, double Loss, double Kl, double Entropy, double Clipped)
    {
        public static Sums operator +(Sums a, Sums b) => new(a.Count + b.Count, a.Loss + b.Loss, a.Kl + b.Kl, a.Entropy + b.Entropy, a.Clipped + b.Clipped);
    }
}
