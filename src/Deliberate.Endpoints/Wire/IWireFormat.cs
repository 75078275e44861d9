using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>One interface of a server: how a request is written and a reply is read. An instance serves one call.</summary>
internal interface IWireFormat
{
    /// <summary>The path below the endpoint's address.</summary>
    string Path { get; }

    /// <summary>Whether a stream is one JSON object a line rather than server-sent events.</summary>
    bool StreamsLines { get; }

    /// <summary>The body of a request.</summary>
    JsonObject Write(WireRequest request);

    /// <summary>Reads a whole reply; null when the JSON is no reply of this interface.</summary>
    Reply? Read(JsonElement root);

    /// <summary>Reads a piece of a streamed reply. What says nothing gives an empty piece.</summary>
    Reply ReadPiece(JsonElement root);
}

/// <summary>What is asked, as every interface can write it.</summary>
internal sealed record WireRequest(Chat.ChatEndpointOptions Endpoint, IReadOnlyList<WireMessage> Messages, ChatOptions Options, bool Stream)
{
    /// <summary>Whether the model is to go on with the last message.</summary>
    public bool Continues => Messages is [.., { Role: "assistant" }];

    public string Model => Options.ModelId ?? Endpoint.Model;

    public string? Effort => Options.Reasoning?.Effort switch
    {
        ReasoningEffort.None => "none",
        ReasoningEffort.Low => "low",
        ReasoningEffort.Medium => "medium",
        ReasoningEffort.High => "high",
        ReasoningEffort.ExtraHigh => "xhigh",
        _ => Endpoint.ReasoningEffort,
    };
}

/// <summary>A message as it is sent.</summary>
internal sealed record WireMessage(string Role, string Content);
