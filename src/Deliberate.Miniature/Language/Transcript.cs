using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Miniature.Language;

/// <summary>
/// Writes conversations as tokens with their loss weights: a role token opens each message, an end token closes it, and the
/// thought stands between its own two tokens at the head of an assistant's message.
/// </summary>
public sealed class Transcript(BpeTokenizer tokenizer)
{
    private readonly List<int> _tokens = [];
    private readonly List<float> _weights = [];

    /// <summary>Special tokens of the miniature's chat format, in vocabulary order.</summary>
    public static IReadOnlyList<string> SpecialTokens { get; } = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<think>", "</think>"];

    /// <summary>Loss weight of a sentence that quotes the policy ("On theft, a story [T3]: refuse."), against 1 for other learned tokens.</summary>
    public float QuoteWeight { get; init; } = 1;

    /// <summary>Tokens so far.</summary>
    public int Length => _tokens.Count;

    /// <summary>A system message.</summary>
    public Transcript System(string text) => Message("<|system|>", text);

    /// <summary>A user message.</summary>
    public Transcript User(string text) => Message("<|user|>", text);

    /// <summary>An earlier answer, shown without its thought.</summary>
    public Transcript Earlier(string answer) => Message("<|assistant|>", answer);

    /// <summary>An assistant's thought (may be empty) and answer, both to be learned.</summary>
    public Transcript Assistant(string thought, string answer)
    {
        Add("<|assistant|>", 0);
        Add("<think>", 0);
        AddWeighed(tokenizer.Encode(thought));
        Add("</think>", thought.Length == 0 ? 0 : 1);
        AddWeighed(tokenizer.Encode(answer));
        Add("<|end|>", 1);
        return this;
    }

    /// <summary>The beginning of an assistant's thought, to be learned without what follows it.</summary>
    public Transcript Begin(string thought)
    {
        Add("<|assistant|>", 0);
        Add("<think>", 0);
        AddWeighed(tokenizer.Encode(thought));
        return this;
    }

    /// <summary>The conversation so far as a prompt: the assistant's turn is open, before its thought or (without one) before its answer.</summary>
    public int[] ToPrompt(bool thinking = true) =>
        [.. _tokens, tokenizer.TokenId("<|assistant|>"), tokenizer.TokenId("<think>"), .. thinking ? Array.Empty<int>() : [tokenizer.TokenId("</think>")]];

    /// <summary>The row.</summary>
    public TokenRow ToRow() => new([.. _tokens], [.. _weights]);

    // The few tokens that only the policy can tell, a quoted clause's code and what stands behind it, count for more: they are
    // a small part of the text and most of what is to be learned.
    private void AddWeighed(ReadOnlySpan<int> tokens)
    {
        var weight = 1f;
        foreach (var token in tokens)
        {
            var text = tokenizer.Decode([token], skipSpecial: false);
            if (text is " On" or "On") weight = QuoteWeight;
            _tokens.Add(token);
            _weights.Add(weight);
            if (text.EndsWith('.')) weight = 1;
        }
    }

    private Transcript Message(string role, string text)
    {
        Add(role, 0);
        Add(tokenizer.Encode(text), 0);
        Add("<|end|>", 0);
        return this;
    }

    private void Add(string special, float weight) => Add([tokenizer.TokenId(special)], weight);

    private void Add(ReadOnlySpan<int> tokens, float weight)
    {
        _tokens.AddRange(tokens);
        for (var i = 0; i < tokens.Length; i++) _weights.Add(weight);
    }
}
