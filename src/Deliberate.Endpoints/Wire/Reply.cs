using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>What a reply, or a piece of a streamed one, says.</summary>
internal sealed record Reply
{
    /// <summary>Thought that came apart from the text.</summary>
    public string Thinking { get; init; } = "";

    /// <summary>The text, which may still hold a thought in tags.</summary>
    public string Text { get; init; } = "";

    /// <summary>A thought that only its server can read.</summary>
    public string? ProtectedThinking { get; init; }

    /// <summary>Why the model stopped; null when not said.</summary>
    public ChatFinishReason? Finish { get; init; }

    /// <summary>What it cost; null when not said.</summary>
    public UsageDetails? Usage { get; init; }

    /// <summary>The model that answered; null when not said.</summary>
    public string? Model { get; init; }

    /// <summary>The reply's id; null when not said.</summary>
    public string? Id { get; init; }

    /// <summary>True when a stream has said that nothing more comes.</summary>
    public bool Last { get; init; }
}
