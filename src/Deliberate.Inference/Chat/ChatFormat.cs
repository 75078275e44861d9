using Deliberate.Inference.Tokenization;
using Microsoft.Extensions.AI;

namespace Deliberate.Inference.Chat;

/// <summary>
/// The miniature's chat format: a role token opens each message, <c>&lt;|end|&gt;</c> closes it, and the assistant's thought
/// stands between <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c> before its answer. Text never becomes a special token.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed class ChatFormat(BpeTokenizer tokenizer)
{
    private readonly int _end = tokenizer.TokenId("<|end|>"), _system = tokenizer.TokenId("<|system|>"), _user = tokenizer.TokenId("<|user|>"),
        _assistant = tokenizer.TokenId("<|assistant|>"), _think = tokenizer.TokenId("<think>"), _endThink = tokenizer.TokenId("</think>");

    /// <summary>The token that ends an answer.</summary>
    public int End => _end;

    /// <summary>The conversation as a prompt that waits for the assistant's thought, or for its answer when it is not to think.</summary>
    public int[] Prompt(IEnumerable<ChatMessage> messages, bool thinking = true)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var tokens = new List<int>();
        foreach (var message in messages)
        {
            tokens.Add(message.Role == ChatRole.System ? _system : message.Role == ChatRole.Assistant ? _assistant : _user);
            tokens.AddRange(tokenizer.Encode(message.Text));
            tokens.Add(_end);
        }

        tokens.Add(_assistant);
        tokens.Add(_think);
        if (!thinking) tokens.Add(_endThink);
        return [.. tokens];
    }

    /// <summary>Cuts new tokens into thought and answer; a thought that does not end leaves no answer.</summary>
    public (string Thinking, string Answer) Read(ReadOnlySpan<int> tokens, bool thinking = true)
    {
        if (!thinking) return ("", tokenizer.Decode(tokens).Trim());
        var at = tokens.IndexOf(_endThink);
        return at < 0 ? (tokenizer.Decode(tokens).Trim(), "") : (tokenizer.Decode(tokens[..at]).Trim(), tokenizer.Decode(tokens[(at + 1)..]).Trim());
    }

    /// <summary>Whether this token ends the thought.</summary>
    public bool EndsThought(int token) => token == _endThink;
}
