using System.Globalization;
using Deliberate.Inference.Models;

namespace Deliberate.Inference.Generation;

/// <summary>
/// The generation engine: continues prompts in large batches on the processor. Common beginnings of prompts are computed once,
/// finished sequences make room for waiting ones. Small models: every thread takes whole sequences through the whole model, so that
/// threads never wait for each other. Large ones: all threads go through one batch together, since each pass reads all weights.
/// </summary>
/// <remarks>
/// A completion depends on its own prompt, settings and seed and on the weights alone: not on the other requests, their order or
/// the number of threads. Thread-safe. Requests of <see cref="SubmitAsync"/> share one running batch, whoever sends them. The other calls have the generator to
/// themselves, in order of arrival: they wait until the requests in the running batch are finished, and those that arrived meanwhile wait for them.
/// </remarks>
public sealed class Generator : IDisposable
{
    private const int LargeBatch = 64;

    private readonly GeneratorOptions _options;
    private readonly Turns _turns = new();
    private readonly GenerationQueue _queue;
    private readonly Worker[] _workers;
    private readonly Team[] _teams;
    private readonly IPromptMatrices? _offer;
    private PackedModel _model;

    /// <summary>Packs the weights.</summary>
    public Generator(ModelWeights weights, GeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        _options = options ?? new();
        _model = Pack(weights);
        var threads = _options.Threads > 0 ? _options.Threads
            : int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_THREADS"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var set) && set > 0 ? set
            : Environment.ProcessorCount;
        var together = _options.Together ?? PackedModel.IsLarge(weights);
        _teams = together ? [new(threads)] : [.. Enumerable.Range(0, threads).Select(_ => new Team(1))];
        _workers = new Worker[_teams.Length];
        _offer = together ? _options.Prompts : null;
        Choose();
        Slots = Math.Clamp(_options.MaxBatch > 0 ? _options.MaxBatch / _teams.Length : together ? LargeBatch : SlotsOf(weights.Parameters), 1, ForwardPass.MaxRows);
        Employ();
        _queue = new(_turns, number => _workers[number], _workers.Length, _options.MaxWaiting);
    }

    /// <summary>The shape of the model.</summary>
    public ModelConfig Config => _model.Config;

    /// <summary>Takes new parameters of the same shape. Requests in work are finished with the old ones, those that wait get the new ones.</summary>
    /// <exception cref="ArgumentException">They are of another shape.</exception>
    public void Load(ModelWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ObjectDisposedException.ThrowIf(_queue.Closed, this);
        _turns.Enter(alone: true);
        try
        {
            foreach (var worker in _workers) worker.Prefixes.Clear(worker.Return);
            if (PackedModel.Choose(weights, _options.Weights) == _model.Storage) _model.Load(weights);
            else
            {
                // Trained weights are no longer exact in bf16.
                if (weights.Config != Config) throw new ArgumentException("The new parameters are of another shape than the generator's.", nameof(weights));
                _model.Dispose();
                _model = Pack(weights);
                Choose();
                Employ();
            }
        }
        finally
        {
            _turns.Exit();
        }
    }

    /// <summary>Continues all prompts; results are in the order of the requests.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="progress">Called with the number of finished requests, from worker threads.</param>
    /// <param name="onResult">Called with the number of a request and its result as soon as it is finished, from worker threads.</param>
    /// <param name="cancel">Stops between two tokens.</param>
    /// <exception cref="ArgumentException">A prompt is empty, too long or holds a token that the model does not have.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<GenerationResult> Generate(IReadOnlyList<GenerationRequest> requests, Action<int>? progress = null, Action<int, GenerationResult>? onResult = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        for (var i = 0; i < requests.Count; i++) Check(requests[i], i);
        if (requests.Count == 0) return [];
        ObjectDisposedException.ThrowIf(_queue.Closed, this);
        _turns.Enter(alone: true, cancel);
        try
        {
            var job = new GenerationJob(requests, _workers.Length, _options.SharePrefixes, progress, null, onResult, cancel);
            Run(job);
            return job.Results;
        }
        finally
        {
            _turns.Exit();
        }
    }

    /// <summary>
    /// Continues a prompt in the running batch, which it joins at the next pass if there is a place free; otherwise it waits, in order of arrival. The result comes
    /// as soon as it is finished.
    /// </summary>
    /// <param name="request">
    /// The request. What its <see cref="GenerationRequest.OnToken"/> throws is thrown to this caller alone. The callback must be quick, and must not wait for the generator.
    /// </param>
    /// <param name="cancel">Takes the request out of the batch before the next pass; the task is cancelled.</param>
    /// <exception cref="ArgumentException">The prompt is empty, too long or holds a token that the model does not have.</exception>
    /// <exception cref="QueueFullException"><see cref="GeneratorOptions.MaxWaiting"/> requests wait already.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The generator is disposed, or was before the request was finished.</exception>
    public Task<GenerationResult> SubmitAsync(GenerationRequest request, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request, 0);
        return _queue.SubmitAsync(request, cancel);
    }

    /// <summary>Continues one prompt and hands over each token as soon as it is chosen, on the calling thread.</summary>
    /// <exception cref="ArgumentException">The prompt is empty, too long or holds a token that the model does not have.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public GenerationResult Stream(GenerationRequest request, Action<int> onToken, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request, 0);
        ObjectDisposedException.ThrowIf(_queue.Closed, this);
        _turns.Enter(alone: true, cancel);
        try
        {
            var job = new GenerationJob([request], 1, false, null, onToken, null, cancel);
            _workers[0].Work(job);
            cancel.ThrowIfCancellationRequested();
            return job.Results[0];
        }
        finally
        {
            _turns.Exit();
        }
    }

    /// <summary>The logits after every token, for tests and analysis. (T) -> (T * vocab), row-major</summary>
    public float[] Logits(ReadOnlySpan<int> tokens)
    {
        Check(new() { Prompt = tokens.ToArray() }, 0);
        ObjectDisposedException.ThrowIf(_queue.Closed, this);
        _turns.Enter(alone: true);
        try
        {
            return _workers[0].Logits(tokens);
        }
        finally
        {
            _turns.Exit();
        }
    }

    /// <summary>How matrices are kept in memory.</summary>
    public WeightStorage Weights => _model.Storage;

    /// <summary>What multiplies the tokens of prompts and what was measured, as "bf16 by libtorch (612 GFLOP/s, own kernels 431)"; null where there was no choice.</summary>
    public string? Prompts { get; private set; }

    /// <summary>Whether <see cref="GeneratorOptions.Prompts"/> was taken, so that completions may differ from those of the engine's own kernels.</summary>
    public bool TakesPrompts => _model.TakesPrompts;

    /// <summary>Bytes of the weights in memory.</summary>
    public long WeightBytes => _model.Bytes;

    /// <summary>Tokens that sequences have computed, shared ones once.</summary>
    internal long Computed => _workers.Sum(worker => worker.Computed);

    /// <summary>Whether a call waits to have the generator to itself.</summary>
    internal bool Wanted => _turns.Wanted;

    private int Slots { get; }

    /// <summary>Ends what <see cref="SubmitAsync"/> has in work or waiting; not to be called from a callback or during another call.</summary>
    public void Dispose()
    {
        if (_queue.Closed) return;
        _queue.Dispose();
        foreach (var team in _teams) team.Dispose();
        _model.Dispose();
    }

    private PackedModel Pack(ModelWeights weights)
    {
        var model = new PackedModel(weights.Config, PackedModel.Choose(weights, _options.Weights));
        model.Load(weights);
        return model;
    }

    private void Choose()
    {
        if (_offer is null) return;
        var probe = PromptProbe.Measure(_model, _offer, _teams[0]);
        if (probe.Chosen) _model.Offer(_offer);
        Prompts = probe.ToString();
    }

    private void Employ()
    {
        // A thread's part should hold a whole context at least, or it would keep nothing.
        var cached = Math.Max(_options.CachedTokens / _workers.Length, Math.Min(_options.CachedTokens, Config.MaxPositions));
        for (var i = 0; i < _workers.Length; i++) _workers[i] = new(_model, Slots, _teams[i], new(_options.SharePrefixes, cached, promptsOnly: TakesPrompts));
    }

    // Every token reads the keys and values of its own sequence. Where the weights stay in the processor's cache, one tile of rows
    // is enough to use them well, and the few sequences' keys and values stay there too; larger weights come from memory and want many rows.
    private static int SlotsOf(long parameters) => parameters > 4_000_000 ? 64 : PackedMatrix.TileRows;

    private void Run(GenerationJob job)
    {
        // Shared prefixes level by level (a prefix needs its parent's keys), then the sequences.
        foreach (var level in job.Prefixes.GroupBy(prefix => prefix.Depth).OrderBy(level => level.Key))
        {
            var prefixes = level.ToArray();
            var next = -1;
            OnAll(worker =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < prefixes.Length && !job.Cancel.IsCancellationRequested;) worker.Compute(prefixes[i]);
            });
        }

        OnAll(worker => worker.Work(job));
        job.Cancel.ThrowIfCancellationRequested();
    }

    private void OnAll(Action<Worker> work)
    {
        if (_workers.Length == 1)
        {
            work(_workers[0]);
            return;
        }

        Exception? failure = null;
        var threads = _workers.Skip(1).Select(worker => new Thread(() => Guarded(worker)) { IsBackground = true, Name = "generation" }).ToArray();
        foreach (var thread in threads) thread.Start();
        Guarded(_workers[0]);
        foreach (var thread in threads) thread.Join();
        if (failure is not null) throw new InvalidOperationException($"Generation failed: {failure.Message}", failure);

        void Guarded(Worker worker)
        {
            try
            {
                work(worker);
            }
#pragma warning disable CA1031 // a worker's failure is rethrown by the caller's thread
            catch (Exception e)
            {
                failure = e;
            }
#pragma warning restore CA1031
        }
    }

    internal void Check(GenerationRequest request, int index)
    {
        if (request.Prompt.Length == 0) throw new ArgumentException($"Request {index} has an empty prompt.");
        if (request.Prompt.Length > Config.MaxPositions)
            throw new ArgumentException($"The prompt of request {index} has {request.Prompt.Length} tokens; the model has {Config.MaxPositions} positions.");
        foreach (var token in request.Prompt)
            if ((uint)token >= (uint)Config.VocabSize) throw new ArgumentException($"The prompt of request {index} holds token {token}; the model has {Config.VocabSize}.");
        if (request.ThinkingBudget is < 0) throw new ArgumentException($"The thinking budget of request {index} is {request.ThinkingBudget}; it is 0 or more.");
        if (request.ThinkingBudget is not null && request.EndOfThinking.Count == 0) throw new ArgumentException($"Request {index} has a thinking budget but no tokens that end a thought (EndOfThinking).");
        foreach (var token in request.EndOfThinking.Concat(request.StartOfThinking))
            if ((uint)token >= (uint)Config.VocabSize) throw new ArgumentException($"The start or end of thinking of request {index} holds token {token}; the model has {Config.VocabSize}.");
        if (!(request.RepetitionPenalty > 0)) throw new ArgumentException($"The repetition penalty of request {index} is {request.RepetitionPenalty}; it is above 0.");
    }
}
