using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Deliberate.Conversations;
using Deliberate.Inference.Generation;
using Microsoft.Extensions.AI;

namespace Deliberate.Inference.Chat;

/// <summary>How a local chat client answers.</summary>
public sealed record LocalChatOptions
{
    /// <summary>Whether the model thinks before it answers.</summary>
    public bool Thinking { get; init; } = true;

    /// <summary>Name or fingerprint of the model, for provenance.</summary>
    public string ModelId { get; init; } = "local";

    /// <summary>New tokens when a call does not say how many.</summary>
    public int MaxOutputTokens { get; init; } = 256;
}

/// <summary>
/// A chat client over the generation engine. All calls, streamed or not and of all clients of a generator, share its running batch, which is where the engine is
/// fast; what a call returns does not depend on its company.
/// </summary>
/// <remarks>
/// <para>Thread-safe. Disposing it leaves the generator and the calls in work alone.</para>
/// <para>
/// Of <see cref="ChatOptions"/> it heeds Instructions, Temperature (0 when not given), TopP, TopK, Seed, MaxOutputTokens, StopSequences (in the answer; a thought
/// passes), a Reasoning effort of None (no thought), and of AdditionalProperties <see cref="ThinkingBudget"/>, <see cref="MinP"/> and
/// <see cref="RepetitionPenalty"/>. Penalties of frequency and presence are refused unless 0.
/// </para>
/// <para>
/// Usage counts tokens; ReasoningTokenCount is that of the thought with the mark that ends it. A stream ends with an update that holds the usage and the reason of the end.
/// </para>
/// </remarks>
public sealed class LocalChatClient : IChatClient
{
    /// <summary>Key in <see cref="ChatOptions.AdditionalProperties"/>: most tokens of a thought (a whole number), after which its end is forced; without effect where there is no thought.</summary>
    public const string ThinkingBudget = "thinking_budget";

    /// <summary>Key in <see cref="ChatOptions.AdditionalProperties"/>: see <see cref="GenerationRequest.MinP"/>.</summary>
    public const string MinP = "min_p";

    /// <summary>Key in <see cref="ChatOptions.AdditionalProperties"/>: see <see cref="GenerationRequest.RepetitionPenalty"/>.</summary>
    public const string RepetitionPenalty = "repetition_penalty";

    private readonly Generator _generator;
    private readonly IPromptFormat _format;
    private readonly LocalChatOptions _options;
    private volatile bool _disposed;

    private sealed record Call(ChatPrompt Prompt, GenerationRequest Request, IReadOnlyList<string> Stops);

    /// <summary>A client over this generator.</summary>
    public LocalChatClient(Generator generator, IPromptFormat format, LocalChatOptions? options = null) => (_generator, _format, _options) = (generator, format, options ?? new());

    /// <summary>
    /// Whether a token of its own ends the model's thoughts. Where their closing mark is text like any other, a stream's thoughts are <see cref="MarkedThought"/>s.
    /// </summary>
    public bool EndsByToken => _format.EndOfThinking.Count == 1;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The prompt is too long, or a setting is out of range.</exception>
    /// <exception cref="NotSupportedException">An option is not supported.</exception>
    /// <exception cref="QueueFullException">Too many calls wait already.</exception>
    /// <exception cref="ObjectDisposedException">The client or its generator is disposed.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = Open(messages, options);
        var result = await _generator.SubmitAsync(call.Request with { OnToken = Watch(call) }, cancellationToken).ConfigureAwait(false);
        var (completion, reason, usage) = Read(call, result);
        List<AIContent> contents = [];
        if (completion.Thinking.Length > 0) contents.Add(new TextReasoningContent(completion.Thinking));
        contents.Add(new TextContent(completion.Answer));
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, contents)) { ModelId = _options.ModelId, FinishReason = reason, Usage = usage };
    }

    /// <inheritdoc/>
    /// <remarks>A reader that stops reading ends the call. Its exceptions are those of <see cref="GetResponseAsync"/>.</remarks>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var call = Open(messages, options);
        var tokens = Channel.CreateUnbounded<int>(new() { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = WorkAsync();
        try
        {
            var (reply, stops) = (_format.Stream(call.Prompt), new StopSequences(call.Stops));
            await foreach (var token in tokens.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                foreach (var part in stops.Add(reply.Add(token))) yield return Update(part);
            var result = await work.ConfigureAwait(false);
            foreach (var part in stops.Add(reply.Finish())) yield return Update(part);
            foreach (var part in stops.Finish()) yield return Update(part);
            var (_, reason, usage) = Read(call, result);
            yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(usage)]) { ModelId = _options.ModelId, FinishReason = reason };
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task<GenerationResult> WorkAsync()
        {
            try
            {
                var watch = Watch(call);
                return await _generator.SubmitAsync(call.Request with { OnToken = token => tokens.Writer.TryWrite(token) && watch?.Invoke(token) != false }, stop.Token).ConfigureAwait(false);
            }
            finally
            {
                tokens.Writer.Complete();
            }
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("deliberate", null, _options.ModelId)
        : serviceType?.IsInstanceOfType(this) == true ? this : null;

    /// <inheritdoc/>
    public void Dispose() => _disposed = true;

    private ChatResponseUpdate Update(SplitText part) => new(ChatRole.Assistant, [!part.IsThought ? new TextContent(part.Text) : EndsByToken ? new TextReasoningContent(part.Text) : MarkedThought.Content(part.Text)]) { ModelId = _options.ModelId };

    private Call Open(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (options?.FrequencyPenalty is not (null or 0) || options?.PresencePenalty is not (null or 0))
            throw new NotSupportedException($"ChatOptions.FrequencyPenalty and PresencePenalty are not supported by local models: leave them out, or use AdditionalProperties['{RepetitionPenalty}'].");
        if (options?.Instructions is { Length: > 0 } instructions) messages = [new(ChatRole.System, instructions), .. messages];
        var prompt = _format.Prompt(messages, _options.Thinking && options?.Reasoning?.Effort != ReasoningEffort.None);
        var request = new GenerationRequest
        {
            Prompt = prompt.Tokens,
            MaxNewTokens = options?.MaxOutputTokens ?? _options.MaxOutputTokens,
            Temperature = options?.Temperature ?? 0,
            TopP = options?.TopP ?? 1,
            TopK = options?.TopK ?? 0,
            MinP = (float)(Number(options, MinP) ?? 0),
            RepetitionPenalty = (float)(Number(options, RepetitionPenalty) ?? 1),
            Seed = unchecked((int)(options?.Seed ?? 0)),
            StopTokens = _format.StopTokens,
        };
        // A thought that the prompt does not open begins with its own mark, or there is none.
        if (Budget(options) is { } budget && _format.EndOfThinking.Count > 0 && (prompt.ThoughtOpened || _format.StartOfThinking.Count > 0))
            request = request with { ThinkingBudget = budget, EndOfThinking = _format.EndOfThinking, StartOfThinking = prompt.ThoughtOpened ? [] : _format.StartOfThinking };
        return new(prompt, request, StopSequences.Of(options));
    }

    // Ends the generation with the token that completes a stop sequence, whoever reads the text and however late.
    private Func<int, bool>? Watch(Call call)
    {
        if (call.Stops.Count == 0) return null;
        var (reply, stops) = (_format.Stream(call.Prompt), new StopSequences(call.Stops));
        return token =>
        {
            foreach (var part in reply.Add(token))
                if (!part.IsThought) stops.Add(part.Text);
            return !stops.Found;
        };
    }

    private (Completion Completion, ChatFinishReason Reason, UsageDetails Usage) Read(Call call, GenerationResult result)
    {
        var completion = _format.Read(result.Tokens, call.Prompt, result.Truncated);
        var stopped = call.Stops.Count > 0 && Stopped(call, result.Tokens, out var answer) ? answer : null;
        if (stopped is not null) completion = new(completion.Thinking, stopped, false);
        var (input, output) = (call.Request.Prompt.Length, result.Tokens.Length);
        return (completion, completion.Truncated ? ChatFinishReason.Length : ChatFinishReason.Stop, new()
        {
            InputTokenCount = input,
            OutputTokenCount = output,
            TotalTokenCount = input + output,
            ReasoningTokenCount = ReasoningTokens(call.Prompt, result.Tokens, completion),
        });
    }

    // As a stream is cut, to the letter.
    private bool Stopped(Call call, int[] tokens, out string answer)
    {
        var (reply, stops, text) = (_format.Stream(call.Prompt), new StopSequences(call.Stops), new StringBuilder());
        foreach (var token in tokens) Take(reply.Add(token));
        Take(reply.Finish());
        answer = text.ToString();
        return stops.Found;

        void Take(IReadOnlyList<SplitText> parts)
        {
            foreach (var part in stops.Add(parts))
                if (!part.IsThought) text.Append(part.Text);
        }
    }

    private int ReasoningTokens(ChatPrompt prompt, int[] tokens, Completion completion)
    {
        int[] opening = [.. _format.StartOfThinking], mark = [.. _format.EndOfThinking];
        if (!prompt.ThoughtOpened && completion.Thinking.Length == 0 && (opening.Length == 0 || !tokens.AsSpan().StartsWith(opening))) return 0;
        if (mark.Length > 0 && tokens.AsSpan().IndexOf(mark) is var end and >= 0) return end + mark.Length;
        // The mark may share a token with what follows, or be another one: the answer's first text tells.
        var reply = _format.Stream(prompt);
        for (var i = 0; i < tokens.Length; i++)
            if (reply.Add(tokens[i]).Any(part => !part.IsThought)) return i;
        return tokens.Length;
    }

    private static int? Budget(ChatOptions? options) => Number(options, ThinkingBudget) switch
    {
        null => null,
        { } number when number is >= 0 and <= int.MaxValue && number == Math.Floor(number) => (int)number,
        { } number => throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"ChatOptions.AdditionalProperties['{ThinkingBudget}'] is {number}; it is a whole number of tokens, 0 or more.")),
    };

    private static double? Number(ChatOptions? options, string name) =>
        options?.AdditionalProperties?.TryGetValue(name, out var value) != true ? null : value switch
        {
            null => null,
            int or long or short or byte or uint or float or double or decimal => Convert.ToDouble(value, CultureInfo.InvariantCulture),
            JsonElement { ValueKind: JsonValueKind.Null } => null,
            JsonElement { ValueKind: JsonValueKind.Number } element => element.GetDouble(),
            _ => throw new ArgumentException($"ChatOptions.AdditionalProperties['{name}'] is a {value.GetType().Name}; give a number."),
        };
}
