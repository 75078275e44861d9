using Deliberate.Conversations;
using Deliberate.Policies;
using Deliberate.Runs;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;

namespace Deliberate.Generation;

/// <summary>
/// Draws completions from a model. Every call has its own seed, derived from its prompt's id and its index, and results come in the order
/// of the prompts: neither depends on concurrency. Thread-safe as far as the client is.
/// </summary>
public sealed class SampleGenerator
{
    private readonly IChatClient _client;
    private readonly IGenerationFormat _format;
    private readonly GenerationOptions _options;
    private readonly string _model;

    /// <summary>A generator that asks this client.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public SampleGenerator(IChatClient client, IGenerationFormat format, GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SamplesPerPrompt, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Temperature);
        (_client, _format, _options) = (client, format, options);
        _model = (client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId ?? "unknown";
    }

    /// <summary>Draws samples with each prompt's specification in context.</summary>
    /// <param name="prompts">The prompts, with distinct ids.</param>
    /// <param name="spec">The specification for a prompt.</param>
    /// <param name="recovery">Where finished samples are kept and found again, or null.</param>
    /// <param name="progress">Hears how many samples are done.</param>
    /// <param name="cancellationToken">Stops the work; what is finished stays in <paramref name="recovery"/>.</param>
    /// <returns>The samples of the first prompt by index, then those of the second…</returns>
    /// <exception cref="ArgumentException">Two prompts have one id.</exception>
    /// <remarks>A call that fails ends the whole with its exception: retries are the client's business.</remarks>
    public Task<IReadOnlyList<Sample>> GenerateAsync(
        IReadOnlyList<Prompt> prompts, Func<Prompt, Spec> spec, IRecovery<Sample>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return RunAsync(prompts, spec, recovery, progress, cancellationToken);
    }

    /// <summary>Draws samples of the prompts as they are, without any specification: what a trained model will be asked.</summary>
    /// <inheritdoc cref="GenerateAsync"/>
    public Task<IReadOnlyList<Sample>> AnswerAsync(
        IReadOnlyList<Prompt> prompts, IRecovery<Sample>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default) =>
        RunAsync(prompts, null, recovery, progress, cancellationToken);

    /// <summary>What is asked for a sample.</summary>
    /// <inheritdoc cref="DrawAsync"/>
    public (IReadOnlyList<ChatMessage> Messages, ChatOptions Options) RequestOf(Prompt prompt, int index, Spec? spec)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return (
            spec is null ? prompt.Conversation.ToMessages() : _format.Write(prompt.Conversation, spec),
            new() { Temperature = (float)_options.Temperature, MaxOutputTokens = _options.MaxTokens, Seed = CallSeed.Derive(_options.Seed, prompt.Id, index) });
    }

    private async Task<IReadOnlyList<Sample>> RunAsync(
        IReadOnlyList<Prompt> prompts, Func<Prompt, Spec>? spec, IRecovery<Sample>? recovery, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        Ordered.RequireUnique(prompts.Select(prompt => prompt.Id));
        return await Ordered.RunAsync(prompts.Count * _options.SamplesPerPrompt, _options.Concurrency, async (number, token) =>
        {
            var (prompt, index) = (prompts[number / _options.SamplesPerPrompt], number % _options.SamplesPerPrompt);
            var id = Sample.IdOf(prompt, index);
            if (recovery is not null && recovery.TryGet(id, out var known)) return known;
            var sample = await DrawAsync(prompt, index, spec?.Invoke(prompt), token).ConfigureAwait(false);
            if (recovery is not null) await recovery.AddAsync(id, sample, token).ConfigureAwait(false);
            return sample;
        }, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Draws one sample, for those who stream their prompts.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="index">Number of the sample among those of its prompt, from 0.</param>
    /// <param name="spec">The specification to put in context, or null for none.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    public async Task<Sample> DrawAsync(Prompt prompt, int index, Spec? spec, CancellationToken cancellationToken = default)
    {
        var (messages, options) = RequestOf(prompt, index, spec);
        using var call = new CallDetails(prompt.Id, index, spec, spec is null ? null : _format.Version).Enter();
        var response = await _client.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        var provenance = new Provenance(
            spec?.PolicyHash, spec?.Category, response.ModelId ?? _model, spec is null ? null : _format.Version, _options.Temperature, (int)options.Seed!, index);
        return new Sample(prompt, index, CompletionReader.Read(response, _options.ThinkingOpened), provenance);
    }
}
