using System.Text.Json;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Chat;

/// <summary>
/// <c>POST /v1/responses</c>: OpenAI's Responses, whole and streamed. Nothing is stored: a caller sends the whole conversation. A thought that may be shown is
/// an item of type <c>reasoning</c> before the message.
/// </summary>
internal static class ResponsesApi
{
    public static async Task HandleAsync(HttpContext context)
    {
        var server = context.RequestServices.GetRequiredService<ServerOptions>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, context.RequestServices.GetRequiredService<Draining>().Token);
        var body = await RequestBody.ReadAsync(context.Request, stop.Token).ConfigureAwait(false);
        var call = Read(context, body);
        var reply = new ResponseObject(call, body, server.Time.GetUtcNow().ToUnixTimeSeconds());
        if (call.Stream) await StreamAsync(context, call, reply, server.Time, stop.Token).ConfigureAwait(false);
        else
        {
            var response = await call.Model.Client.GetResponseAsync(call.Messages, call.Options, stop.Token).ConfigureAwait(false);
            var (thinking, text) = ChatCompletions.Split(response.Messages.SelectMany(message => message.Contents));
            reply.End(call.ShowThinking ? thinking : "", text, response.FinishReason, response.Usage);
            await context.Response.WriteAsJsonAsync(reply.Json, stop.Token).ConfigureAwait(false);
        }
    }

    private static ChatCall Read(HttpContext context, RequestBody body)
    {
        body.Refuse("tools", "previous_response_id", "conversation", "background", "prompt", "top_logprobs");
        if (body.Object("text")?.Object("format")?.Text("type") is { } format and not "text") throw ApiException.Invalid("text", $"'{format}' is not supported here: leave text.format out.", "unsupported_parameter");
        List<ChatMessage> messages = [];
        if (body.Text("instructions") is { Length: > 0 } instructions) messages.Add(new(ChatRole.System, instructions));
        if (body.Get("input") is not { } input) throw ApiException.Invalid("input", "'input' is missing.");
        if (input.ValueKind == JsonValueKind.String) messages.Add(new(ChatRole.User, RequestBody.TextOf(input, "input")));
        else
        {
            foreach (var item in body.List("input"))
            {
                if (item.ValueKind != JsonValueKind.Object) throw RequestBody.Wrong("input", "a text or a list of items");
                var fields = new RequestBody(item);
                switch (fields.Text("type") ?? "message")
                {
                    case "message":
                        messages.Add(new(ChatCall.Role(fields.Text("role")), fields.Get("content") is { } content ? ChatCall.Text(content, "content") : ""));
                        break;
                    case "reasoning":
                        break; // thoughts of earlier turns are no part of the conversation
                    default:
                        throw ApiException.Invalid("input", "'input' has an item that is neither a message nor reasoning: this server takes messages alone.", "unsupported_content");
                }
            }
        }

        return ChatCall.Create(context, body, "resp_", messages, new() { MaxOutputTokens = body.Whole("max_output_tokens", 1) }, body.Object("reasoning")?.Text("effort"), "reasoning.effort");
    }

    private static async Task StreamAsync(HttpContext context, ChatCall call, ResponseObject reply, TimeProvider time, CancellationToken cancellationToken)
    {
        var events = new EventStream(context, cancellationToken);
        var writer = new ResponseEvents(events, reply);
        try
        {
            var (finish, used, begun) = ((ChatFinishReason?)null, (UsageDetails?)null, false);
            await foreach (var update in events.KeptAliveAsync(call.Model.Client.GetStreamingResponseAsync(call.Messages, call.Options, cancellationToken), time, ChatCompletions.Silence).ConfigureAwait(false))
            {
                if (!begun) await writer.BeginAsync().ConfigureAwait(false);
                begun = true;
                var (thinking, text) = ChatCompletions.Split(update.Contents);
                if (call.ShowThinking) await writer.AddAsync(thought: true, thinking).ConfigureAwait(false);
                await writer.AddAsync(thought: false, text).ConfigureAwait(false);
                finish = update.FinishReason ?? finish;
                used = update.Contents.OfType<UsageContent>().LastOrDefault()?.Details ?? used;
            }

            await writer.EndAsync(finish, used).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // a stream that has begun ends with an error as its last event
        catch (Exception problem)
        {
            if (!await events.FailAsync(problem, error => (writer.Failed(error).ToJsonString(), "response.failed")).ConfigureAwait(false)) throw;
        }
#pragma warning restore CA1031
    }
}
