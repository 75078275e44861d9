using Deliberate.Conversations;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Generation;

/// <summary>Writes the prompt that puts a policy in a model's context. Implementations are immutable.</summary>
public interface IGenerationFormat
{
    /// <summary>Names this wording; changed with every change of it.</summary>
    string Version { get; }

    /// <summary>The messages that ask for an answer under a policy.</summary>
    IReadOnlyList<ChatMessage> Write(Conversation conversation, Spec spec);
}
