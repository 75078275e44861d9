using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Chat;

/// <summary><c>POST /v1/chat/completions</c>: OpenAI's chat completions, whole and streamed. A thought that may be shown stands in vLLM's field <c>reasoning</c>.</summary>
internal static class ChatCompletions
{
    /// <summary>How long a stream may be silent.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    public static async Task HandleAsync(HttpContext context)
    {
        var server = context.RequestServices.GetRequiredService<ServerOptions>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, context.RequestServices.GetRequiredService<Draining>().Token);
        var body = await RequestBody.ReadAsync(context.Request, stop.Token).ConfigureAwait(false);
        var call = Read(context, body);
        var created = server.Time.GetUtcNow().ToUnixTimeSeconds();
        if (call.Stream) await StreamAsync(context, call, created, body.Object("stream_options")?.Flag("include_usage") ?? false, server.Time, stop.Token).ConfigureAwait(false);
        else await WholeAsync(context, call, created, stop.Token).ConfigureAwait(false);
    }

    /// <summary>The value of a reason to finish, as both forms of reply know it.</summary>
    public static string Finish(ChatFinishReason? reason) => reason?.Value ?? "stop";

    /// <summary>What stands between the model's updates and the wire: its thought and its text.</summary>
    public static (string Thinking, string Text) Split(IEnumerable<AIContent> contents)
    {
        var list = contents as IReadOnlyCollection<AIContent> ?? [.. contents];
        return (string.Concat(list.OfType<TextReasoningContent>().Select(content => content.Text)), string.Concat(list.OfType<TextContent>().Select(content => content.Text)));
    }

    private static ChatCall Read(HttpContext context, RequestBody body)
    {
        body.Refuse("tools", "tool_choice", "functions", "function_call", "logprobs", "top_logprobs", "audio", "prediction", "logit_bias");
        if (body.Whole("n", 1) > 1) throw ApiException.Invalid("n", "This server gives one answer a request: ask again for another.", "unsupported_parameter");
        if (body.Object("response_format")?.Text("type") is { } format and not "text") throw ApiException.Invalid("response_format", $"'{format}' is not supported here: leave response_format out.", "unsupported_parameter");
        List<ChatMessage> messages = [];
        foreach (var message in body.List("messages"))
        {
            if (message.ValueKind != JsonValueKind.Object) throw RequestBody.Wrong("messages", "a list of objects");
            var fields = new RequestBody(message);
            // Thoughts that a caller sends back are no part of the conversation.
            messages.Add(new(ChatCall.Role(fields.Text("role")), fields.Get("content") is { } content ? ChatCall.Text(content, "content") : ""));
        }

        var options = new ChatOptions
        {
            MaxOutputTokens = body.Whole("max_completion_tokens", 1) ?? body.Whole("max_tokens", 1),
            FrequencyPenalty = body.Number("frequency_penalty", -2, 2),
            PresencePenalty = body.Number("presence_penalty", -2, 2),
            TopK = body.Whole("top_k", 0),
            Seed = body.Whole("seed", int.MinValue),
            StopSequences = body.Get("stop") is not { } stop ? null : stop.ValueKind == JsonValueKind.String ? [RequestBody.TextOf(stop, "stop")] : [.. body.List("stop").Select(word => word.ValueKind == JsonValueKind.String ? RequestBody.TextOf(word, "stop") : throw RequestBody.Wrong("stop", "a text or a list of texts"))],
        };
        return ChatCall.Create(context, body, "chatcmpl-", messages, options, body.Text("reasoning_effort"), "reasoning_effort");
    }

    private static async Task WholeAsync(HttpContext context, ChatCall call, long created, CancellationToken cancellationToken)
    {
        var response = await call.Model.Client.GetResponseAsync(call.Messages, call.Options, cancellationToken).ConfigureAwait(false);
        var (thinking, text) = Split(response.Messages.SelectMany(message => message.Contents));
        var message = new JsonObject { ["role"] = "assistant", ["content"] = text, ["refusal"] = null };
        if (call.ShowThinking) message["reasoning"] = thinking;
        var json = Frame(call, created, "chat.completion", new() { ["index"] = 0, ["message"] = message, ["logprobs"] = null, ["finish_reason"] = Finish(response.FinishReason) });
        if (Usage(response.Usage) is { } usage) json["usage"] = usage;
        await context.Response.WriteAsJsonAsync(json, cancellationToken).ConfigureAwait(false);
    }

    private static async Task StreamAsync(HttpContext context, ChatCall call, long created, bool includeUsage, TimeProvider time, CancellationToken cancellationToken)
    {
        var events = new EventStream(context, cancellationToken);
        JsonObject Chunk(JsonObject delta, string? finish = null) =>
            Frame(call, created, "chat.completion.chunk", new() { ["index"] = 0, ["delta"] = delta, ["logprobs"] = null, ["finish_reason"] = finish });

        try
        {
            var (first, finish, used) = (true, (ChatFinishReason?)null, (UsageDetails?)null);
            await foreach (var update in events.KeptAliveAsync(call.Model.Client.GetStreamingResponseAsync(call.Messages, call.Options, cancellationToken), time, Silence).ConfigureAwait(false))
            {
                if (first) await events.SendAsync(Chunk(new() { ["role"] = "assistant", ["content"] = "" })).ConfigureAwait(false);
                first = false;
                var (thinking, text) = Split(update.Contents);
                if (call.ShowThinking && thinking.Length > 0) await events.SendAsync(Chunk(new() { ["reasoning"] = thinking })).ConfigureAwait(false);
                if (text.Length > 0) await events.SendAsync(Chunk(new() { ["content"] = text })).ConfigureAwait(false);
                finish = update.FinishReason ?? finish;
                used = update.Contents.OfType<UsageContent>().LastOrDefault()?.Details ?? used;
            }

            await events.SendAsync(Chunk([], Finish(finish))).ConfigureAwait(false);
            if (includeUsage)
            {
                var last = Frame(call, created, "chat.completion.chunk", null);
                last["usage"] = Usage(used) ?? Usage(new());
                await events.SendAsync(last).ConfigureAwait(false);
            }

            await events.SendAsync("[DONE]").ConfigureAwait(false);
        }
#pragma warning disable CA1031 // a stream that has begun ends with an error as its last event
        catch (Exception problem)
        {
            if (!await events.FailAsync(problem, error => (System.Text.Encoding.UTF8.GetString(error.ToBytes()), null)).ConfigureAwait(false)) throw;
        }
#pragma warning restore CA1031
    }

    private static JsonObject Frame(ChatCall call, long created, string kind, JsonObject? choice) => new()
    {
        ["id"] = call.Id,
        ["object"] = kind,
        ["created"] = created,
        ["model"] = call.Model.Name,
        ["choices"] = choice is null ? [] : new JsonArray(choice),
    };

    private static JsonObject? Usage(UsageDetails? usage) => usage is null ? null : new()
    {
        ["prompt_tokens"] = usage.InputTokenCount ?? 0,
        ["completion_tokens"] = usage.OutputTokenCount ?? 0,
        ["total_tokens"] = usage.TotalTokenCount ?? (usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0),
        ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.CachedInputTokenCount ?? 0 },
        // A model that does not say how much it thought has not thought nothing.
        ["completion_tokens_details"] = usage.ReasoningTokenCount is { } reasoning ? new JsonObject { ["reasoning_tokens"] = reasoning } : [],
    };
}
