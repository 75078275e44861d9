using Deliberate.Conversations;
using Deliberate.Inference.Models;
using Microsoft.Extensions.AI;

namespace Deliberate.Inference.Chat;

/// <summary>A conversation as the tokens that a model goes on with.</summary>
/// <param name="Tokens">The token ids.</param>
/// <param name="ThoughtOpened">Whether they end inside the thought, so that what the model writes begins with it.</param>
public sealed record ChatPrompt(int[] Tokens, bool ThoughtOpened);

/// <summary>How a model's conversations become tokens, and its tokens thought and answer. Implementations are thread-safe.</summary>
public interface IPromptFormat
{
    /// <summary>Tokens that end a turn; they are no part of it.</summary>
    IReadOnlyList<int> StopTokens { get; }

    /// <summary>The tokens that end a thought, in order; empty where the model has no such mark.</summary>
    IReadOnlyList<int> EndOfThinking { get; }

    /// <summary>The tokens that begin a thought which the prompt does not open, in order; empty where the model has no such mark or every prompt opens it.</summary>
    IReadOnlyList<int> StartOfThinking => [];

    /// <summary>The conversation as a prompt that waits for the assistant. What others wrote never becomes a control token.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="thinking">Whether the model is to think before it answers, where its format knows the difference.</param>
    ChatPrompt Prompt(IEnumerable<ChatMessage> messages, bool thinking = true);

    /// <summary>Cuts new tokens, without a stop token, into thought and answer.</summary>
    Completion Read(ReadOnlySpan<int> tokens, ChatPrompt prompt, bool truncated);

    /// <summary>The same for tokens that come one by one.</summary>
    IReplyReader Stream(ChatPrompt prompt);

    /// <summary>A conversation and what the assistant is to write next as a row for training: the loss covers thought, answer and end of turn alone.</summary>
    /// <param name="messages">The messages up to the assistant's turn.</param>
    /// <param name="thinking">The thought; empty for an instant answer.</param>
    /// <param name="answer">The answer.</param>
    TokenRow Row(IEnumerable<ChatMessage> messages, string thinking, string answer);
}

/// <summary>Reads one reply token by token. Not thread-safe.</summary>
public interface IReplyReader
{
    /// <summary>What this token makes certain.</summary>
    IReadOnlyList<SplitText> Add(int token);

    /// <summary>What is left at the end.</summary>
    IReadOnlyList<SplitText> Finish();
}
