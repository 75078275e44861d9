using System.Text;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Flow;

/// <summary>What a call may take at most, before it is made.</summary>
/// <param name="InputTokens">Tokens of the prompt, taken generously: a third of its bytes in UTF-8 and 8 for each message.</param>
/// <param name="OutputTokens">Most tokens of the completion.</param>
/// <param name="Cost">What that costs; 0 when nothing is paid for.</param>
public readonly record struct CallEstimate(long InputTokens, long OutputTokens, decimal Cost)
{
    /// <summary>Tokens in and out together.</summary>
    public long Tokens => InputTokens + OutputTokens;

    /// <summary>Estimates a call.</summary>
    public static CallEstimate Of(IEnumerable<ChatMessage> messages, ChatOptions? options, int defaultOutputTokens, ModelPrice? price)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var input = messages.Sum(message => 8 + TokensOf(message.Text)) + (options?.Instructions is { } instructions ? 8 + TokensOf(instructions) : 0);
        long output = options?.MaxOutputTokens ?? defaultOutputTokens;
        return new(input, output, price?.Of(input, output) ?? 0);
    }

    /// <summary>A generous count of a text's tokens, for replies that do not say what they took.</summary>
    internal static long TokensOf(string text) => (Encoding.UTF8.GetByteCount(text) + 2L) / 3;
}
