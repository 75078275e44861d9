using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Deliberate.Server.Access;
using Deliberate.Server.Hosting;
using Deliberate.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Chat;

/// <summary>A request for an answer, in whichever of the two forms it came.</summary>
internal sealed record ChatCall(string Id, ServedModel Model, IReadOnlyList<ChatMessage> Messages, ChatOptions Options, bool Stream, bool ShowThinking)
{
    private const string ThinkingHeader = "X-Deliberate-Thinking";

    /// <summary>A call for these messages, with what both forms have in common.</summary>
    /// <exception cref="ApiException">The request is wrong, or the caller may not see thoughts and asks for them.</exception>
    public static ChatCall Create(HttpContext context, RequestBody body, string idPrefix, IReadOnlyList<ChatMessage> messages, ChatOptions options, string? effort, string effortField)
    {
        var server = context.RequestServices.GetRequiredService<ServerOptions>();
        var model = context.RequestServices.GetRequiredService<ServedModels>().Find(body.Text("model"));
        if (messages.Count == 0) throw ApiException.Invalid("messages", "There is no message to answer.");
        // A beginning of the model's own words could be one of its thought.
        if (messages[^1].Role == ChatRole.Assistant) throw ApiException.Invalid("messages", "The last message is the assistant's own: end on a user's.");
        if (options.MaxOutputTokens > server.MaxTokens) throw ApiException.Invalid("max_tokens", $"This server gives at most {server.MaxTokens} tokens.");
        options.Temperature = body.Number("temperature", 0, 2);
        options.TopP = body.Number("top_p", 0, 1);
        if (effort is not null)
        {
            if (!ThinkingBudgets.Words.Contains(effort)) throw RequestBody.Wrong(effortField, $"one of {string.Join(", ", ThinkingBudgets.Words)}");
            options.Reasoning = new()
            {
                Effort = effort switch { "none" => ReasoningEffort.None, "medium" => ReasoningEffort.Medium, "high" => ReasoningEffort.High, "xhigh" => ReasoningEffort.ExtraHigh, _ => ReasoningEffort.Low },
            };
            if (model.TakesBudget && server.Budgets.Tokens.TryGetValue(effort, out var budget)) options.AdditionalProperties = new() { ["thinking_budget"] = budget };
        }

        var show = Asks(context, body);
        if (show && !context.User.HasClaim(Rights.Claim, Rights.Audit)) throw new ApiException(ApiError.Forbidden("Showing the thinking takes a key with the audit right."));
        var id = $"{idPrefix}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";
        var caller = new CallContext(context.User.FindFirstValue(ClaimTypes.NameIdentifier), show, id);
        return new(id, model, messages, caller.With(options), body.Flag("stream") ?? false, show);
    }

    /// <summary>A message's text: a string, or a list of parts of text.</summary>
    public static string Text(JsonElement content, string name)
    {
        if (content.ValueKind == JsonValueKind.String) return RequestBody.TextOf(content, name);
        if (content.ValueKind == JsonValueKind.Null) return "";
        if (content.ValueKind != JsonValueKind.Array) throw RequestBody.Wrong(name, "a text or a list of parts");
        var text = new StringBuilder();
        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object) throw RequestBody.Wrong(name, "a list of objects with type and text");
            var fields = new RequestBody(part);
            if (fields.Text("type") is not ("text" or "input_text" or "output_text" or "refusal")) throw ApiException.Invalid(name, $"'{name}' has a part that is no text: this server takes text alone.", "unsupported_content");
            text.Append(fields.Text("text") ?? fields.Text("refusal"));
        }

        return text.ToString();
    }

    /// <summary>A role by its name.</summary>
    public static ChatRole Role(string? name) => name switch
    {
        "system" or "developer" => ChatRole.System,
        "user" => ChatRole.User,
        "assistant" => ChatRole.Assistant,
        "tool" => ChatRole.Tool,
        _ => throw RequestBody.Wrong("role", "one of system, developer, user, assistant, tool"),
    };

    private static bool Asks(HttpContext context, RequestBody body)
    {
        foreach (var item in body.List("include"))
            if (item.ValueKind == JsonValueKind.String && item.ValueEquals("reasoning")) return true;
        var header = context.Request.Headers[ThinkingHeader];
        return header.Count == 0 ? false : header.ToString() switch
        {
            "show" => true,
            "hide" => false,
            _ => throw ApiException.Invalid(ThinkingHeader, $"The header {ThinkingHeader} is 'show' or 'hide'."),
        };
    }
}
