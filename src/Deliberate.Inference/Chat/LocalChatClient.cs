using System.Runtime.CompilerServices;
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
/// A chat client over the generation engine. Calls that are waiting at the same time are generated as one batch, which is where
/// the engine is fast; what a call returns does not depend on its batch.
/// </summary>
/// <remarks>Thread-safe. Disposing it leaves the generator alone.</remarks>
public sealed class LocalChatClient : IChatClient
{
    private readonly Generator _generator;
    private readonly IPromptFormat _format;
    private readonly LocalChatOptions _options;
    private readonly Channel<Call> _calls = Channel.CreateUnbounded<Call>(new() { SingleReader = true });
    private readonly Task _loop;

    private sealed record Call(GenerationRequest Request, TaskCompletionSource<GenerationResult> Result, CancellationToken Cancel);

    /// <summary>A client over this generator.</summary>
    public LocalChatClient(Generator generator, IPromptFormat format, LocalChatOptions? options = null)
    {
        (_generator, _format, _options) = (generator, format, options ?? new());
        _loop = Task.Run(LoopAsync);
    }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (prompt, request) = Request(messages, options);
        _generator.Check(request, 0); // here, so that a bad call does not fail the others of its batch
        var call = new Call(request, new(TaskCreationOptions.RunContinuationsAsynchronously), cancellationToken);
        ObjectDisposedException.ThrowIf(!_calls.Writer.TryWrite(call), this);
        var result = await call.Result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        var completion = _format.Read(result.Tokens, prompt, result.Truncated);
        List<AIContent> contents = [];
        if (completion.Thinking.Length > 0) contents.Add(new TextReasoningContent(completion.Thinking));
        contents.Add(new TextContent(completion.Answer));
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, contents))
        {
            ModelId = _options.ModelId,
            FinishReason = completion.Truncated ? ChatFinishReason.Length : ChatFinishReason.Stop,
            Usage = new() { InputTokenCount = request.Prompt.Length, OutputTokenCount = result.Tokens.Length, TotalTokenCount = request.Prompt.Length + result.Tokens.Length },
        };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (prompt, request) = Request(messages, options);
        var tokens = Channel.CreateUnbounded<int>();
        // A caller that stops reading stops the generation too.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = Task.Run(() =>
        {
            try
            {
                return _generator.Stream(request, token => tokens.Writer.TryWrite(token), stop.Token);
            }
            finally
            {
                tokens.Writer.Complete();
            }
        }, CancellationToken.None);
        try
        {
            var reply = _format.Stream(prompt);
            await foreach (var token in tokens.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                foreach (var part in reply.Add(token)) yield return Update(part);
            foreach (var part in reply.Finish()) yield return Update(part);
            var result = await work.ConfigureAwait(false);
            yield return new ChatResponseUpdate(ChatRole.Assistant, []) { ModelId = _options.ModelId, FinishReason = result.Truncated ? ChatFinishReason.Length : ChatFinishReason.Stop };
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("deliberate", null, _options.ModelId)
        : serviceType?.IsInstanceOfType(this) == true ? this : null;

    /// <inheritdoc/>
    public void Dispose() => _calls.Writer.TryComplete();

    private ChatResponseUpdate Update(SplitText part) => new(ChatRole.Assistant, [part.IsThought ? new TextReasoningContent(part.Text) : new TextContent(part.Text)]) { ModelId = _options.ModelId };

    private (ChatPrompt Prompt, GenerationRequest Request) Request(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        var prompt = _format.Prompt(messages, _options.Thinking);
        return (prompt, Request(prompt, options));
    }

    private GenerationRequest Request(ChatPrompt prompt, ChatOptions? options) => new()
    {
        Prompt = prompt.Tokens,
        MaxNewTokens = options?.MaxOutputTokens ?? _options.MaxOutputTokens,
        Temperature = options?.Temperature ?? 0,
        TopP = options?.TopP ?? 1,
        TopK = options?.TopK ?? 0,
        Seed = unchecked((int)(options?.Seed ?? 0)),
        StopTokens = _format.StopTokens,
    };

    private async Task LoopAsync()
    {
        var reader = _calls.Reader;
        while (await reader.WaitToReadAsync().ConfigureAwait(false))
        {
            var batch = new List<Call>();
            // Callers that start many calls at once get them all into one batch: wait until no more arrive for a moment.
            for (var quiet = 0; quiet < 2;)
            {
                var before = batch.Count;
                while (reader.TryRead(out var call)) batch.Add(call);
                quiet = batch.Count == before ? quiet + 1 : 0;
                if (batch.Count > 1 || quiet == 0) await Task.Delay(1).ConfigureAwait(false);
            }

            batch.RemoveAll(call => call.Cancel.IsCancellationRequested);
            Serve(batch);
        }
    }

    private void Serve(List<Call> batch)
    {
        try
        {
            // Each caller gets its result as soon as that is finished, so that it can be kept while the rest of the batch goes on.
            _generator.Generate([.. batch.Select(call => call.Request)], onResult: (i, result) => batch[i].Result.TrySetResult(result));
        }
#pragma warning disable CA1031 // every caller gets the failure
        catch (Exception e)
        {
            foreach (var call in batch) call.Result.TrySetException(e);
        }
#pragma warning restore CA1031
    }
}
