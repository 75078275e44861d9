using System.Text.Json.Nodes;
using Deliberate.Endpoints.Models;

namespace Deliberate.Endpoints.Chat;

/// <summary>Which interface of a server is used.</summary>
public enum EndpointApi
{
    /// <summary>OpenAI's chat completions: <c>POST {address}/chat/completions</c>.</summary>
    ChatCompletions,

    /// <summary>OpenAI's Responses: <c>POST {address}/responses</c>.</summary>
    Responses,

    /// <summary>Ollama's own chat: <c>POST {address}/api/chat</c>.</summary>
    Ollama,
}

/// <summary>What kind of server answers, as far as it changes what may be sent.</summary>
public enum ServerKind
{
    /// <summary>A server that speaks OpenAI's interface; nothing more is known of it.</summary>
    Compatible,

    /// <summary>OpenAI's own: refuses fields that it does not know.</summary>
    OpenAI,

    /// <summary>vLLM.</summary>
    Vllm,

    /// <summary>SGLang.</summary>
    SGLang,

    /// <summary>The server of llama.cpp.</summary>
    LlamaCpp,
}

/// <summary>How a <see cref="ChatEndpoint"/> talks to its server. What a call's own <see cref="Microsoft.Extensions.AI.ChatOptions"/> say goes first.</summary>
public sealed record ChatEndpointOptions
{
    /// <summary>The server's address, of an OpenAI-compatible one with its <c>/v1</c>.</summary>
    public required Uri Address { get; init; }

    /// <summary>The model's name at the server.</summary>
    public required string Model { get; init; }

    /// <summary>The interface that is used.</summary>
    public EndpointApi Api { get; init; }

    /// <summary>What kind of server answers; null takes OpenAI's by its address and any other as compatible.</summary>
    public ServerKind? Server { get; init; }

    /// <summary>The key, or null.</summary>
    public ApiKey? Key { get; init; }

    /// <summary>How much the model thinks, in the server's own word (<c>none</c>, <c>minimal</c>, <c>low</c>, <c>medium</c>, <c>high</c>…); null sends nothing.</summary>
    public string? ReasoningEffort { get; init; }

    /// <summary>Whether the chat template lets the model think, where a template can be told (<c>enable_thinking</c>; Ollama's <c>think</c>); null sends nothing.</summary>
    public bool? EnableThinking { get; init; }

    /// <summary>
    /// Whether the prompt ends inside the thought, so that a reply begins with it untagged. Null when that is not known: a streamed reply is then
    /// held back until its first mark shows what it was. Set it to false for models that do not think, and for servers that give the thought apart.
    /// </summary>
    public bool? ThinkingOpened { get; init; }

    /// <summary>Fields to add to the body of every request. Objects are merged, a null takes a field out, anything else replaces what is there.</summary>
    public JsonObject? ExtraBody { get; init; }

    /// <summary>Most bytes of a reply; a longer one counts as malformed.</summary>
    public long MaxReplyBytes { get; init; } = 64L << 20;

    /// <summary>The clock by which a Retry-After date is read.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal ServerKind ServerOrGuess => Server ?? (ApiKey.IsOpenAI(Address) ? ServerKind.OpenAI : ServerKind.Compatible);
}
