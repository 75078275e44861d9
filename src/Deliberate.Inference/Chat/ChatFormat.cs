using Deliberate.Conversations;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Microsoft.Extensions.AI;

namespace Deliberate.Inference.Chat;

/// <summary>
/// The miniature's chat format: a role token opens each message, <c>&lt;|end|&gt;</c> closes it, and the assistant's thought
/// stands between <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c> before its answer. Text never becomes a special token.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed class ChatFormat(BpeTokenizer tokenizer) : IPromptFormat
{
    /// <summary>The tokens that the format is made of.</summary>
    internal static readonly string[] Marks = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<think>", "</think>"];

    private readonly int _end = tokenizer.TokenId("<|end|>"), _system = tokenizer.TokenId("<|system|>"), _user = tokenizer.TokenId("<|user|>"),
        _assistant = tokenizer.TokenId("<|assistant|>"), _think = tokenizer.TokenId("<think>"), _endThink = tokenizer.TokenId("</think>");

    /// <summary>The token that ends an answer.</summary>
    public int End => _end;

    /// <inheritdoc/>
    public IReadOnlyList<int> StopTokens => [_end];

    /// <inheritdoc/>
    public IReadOnlyList<int> EndOfThinking => [_endThink];

    /// <summary>The conversation as a prompt that waits for the assistant's thought, or for its answer when it is not to think.</summary>
    public ChatPrompt Prompt(IEnumerable<ChatMessage> messages, bool thinking = true)
    {
        var tokens = Beginning(messages);
        if (!thinking) tokens.Add(_endThink);
        return new([.. tokens], thinking);
    }

    /// <summary>Cuts new tokens into thought and answer; a thought that does not end leaves no answer.</summary>
    public Completion Read(ReadOnlySpan<int> tokens, ChatPrompt prompt, bool truncated)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        if (!prompt.ThoughtOpened) return new("", tokenizer.Decode(tokens).Trim(), truncated);
        var at = tokens.IndexOf(_endThink);
        return at < 0 ? new(tokenizer.Decode(tokens).Trim(), "", truncated) : new(tokenizer.Decode(tokens[..at]).Trim(), tokenizer.Decode(tokens[(at + 1)..]).Trim(), truncated);
    }

    /// <inheritdoc/>
    public IReplyReader Stream(ChatPrompt prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return new ReplyReader(tokenizer, _endThink, prompt.ThoughtOpened);
    }

    /// <inheritdoc/>
    public TokenRow Row(IEnumerable<ChatMessage> messages, string thinking, string answer)
    {
        var tokens = Beginning(messages);
        var context = tokens.Count;
        tokens.AddRange(tokenizer.Encode(thinking));
        tokens.Add(_endThink);
        tokens.AddRange(tokenizer.Encode(answer));
        tokens.Add(_end);
        return new([.. tokens], [.. Enumerable.Range(0, tokens.Count).Select(i => i < context ? 0f : 1f)]);
    }

    private List<int> Beginning(IEnumerable<ChatMessage> messages)
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
        return tokens;
    }

    private sealed class ReplyReader(BpeTokenizer tokenizer, int endThink, bool thinking) : IReplyReader
    {
        private TrimmedText _text = new(tokenizer);
        private bool _thinking = thinking;

        public IReadOnlyList<SplitText> Add(int token)
        {
            if (!_thinking || token != endThink) return Part(_text.Add(token));
            var last = Finish();
            (_thinking, _text) = (false, new(tokenizer));
            return last;
        }

        public IReadOnlyList<SplitText> Finish() => Part(_text.Finish());

        private IReadOnlyList<SplitText> Part(string text) => text.Length == 0 ? [] : [new(_thinking, text)];
    }
}
