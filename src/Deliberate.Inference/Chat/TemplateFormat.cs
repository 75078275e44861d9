using Deliberate.Conversations;
using Deliberate.Inference.Models;
using Deliberate.Inference.Templates;
using Deliberate.Inference.Tokenization;
using Microsoft.Extensions.AI;

namespace Deliberate.Inference.Chat;

/// <summary>
/// The format of a model with a chat template. The thought is told from the answer by the marks that <see cref="CompletionReader"/> knows; a model whose
/// template has no place for a thought writes it between <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c> before its answer.
/// </summary>
/// <remarks>
/// Thread-safe. Control tokens that are written out in a message are broken by a space, so that text from outside cannot end its turn or begin another.
/// </remarks>
public sealed class TemplateFormat : IPromptFormat
{
    private const string Open = "<think>", Close = "</think>";
    private static readonly TemplateValue Yes = TemplateValue.Of(true), No = TemplateValue.Of(false);

    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate _template;
    private readonly IReadOnlyDictionary<string, string> _special;
    private readonly string[] _control;

    /// <summary>A format.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="template">Its template.</param>
    /// <param name="specialTokens">The tokens that the template may name: <c>bos_token</c>, <c>eos_token</c>, …</param>
    /// <param name="stopTokens">Tokens that end a turn.</param>
    public TemplateFormat(Tokenizer tokenizer, ChatTemplate template, IReadOnlyDictionary<string, string> specialTokens, IReadOnlyList<int> stopTokens)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_tokenizer, _template, _special, StopTokens) = (tokenizer, template, specialTokens, stopTokens);
        _control = [.. tokenizer.Added.Where(token => token.Control).Select(token => token.Text)];
        (StartOfThinking, EndOfThinking) = (tokenizer.Encode(Open), tokenizer.Encode(Close));
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> StopTokens { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> EndOfThinking { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> StartOfThinking { get; }

    /// <inheritdoc/>
    /// <exception cref="TemplateException">The template refuses the conversation.</exception>
    public ChatPrompt Prompt(IEnumerable<ChatMessage> messages, bool thinking = true)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var list = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var goesOn = list is [.., { } last] && last.Role == ChatRole.Assistant;
        var text = _template.Render(Input(list.Select(Value), thinking) with { AddGenerationPrompt = !goesOn, ContinueFinalMessage = goesOn }).Text;
        var opened = text.LastIndexOf(Open, StringComparison.Ordinal) is var open and >= 0 && text.LastIndexOf(Close, StringComparison.Ordinal) < open && (goesOn || string.IsNullOrWhiteSpace(text[(open + Open.Length)..]));
        return new(_tokenizer.Encode(text), opened);
    }

    /// <inheritdoc/>
    public Completion Read(ReadOnlySpan<int> tokens, ChatPrompt prompt, bool truncated)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return CompletionReader.Read(_tokenizer.Decode(tokens), prompt.ThoughtOpened, truncated);
    }

    /// <inheritdoc/>
    public IReplyReader Stream(ChatPrompt prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return new ReplyReader(_tokenizer.StartDecoding(), new(prompt.ThoughtOpened ? ThoughtStart.Thought : ThoughtStart.Answer));
    }

    /// <inheritdoc/>
    /// <exception cref="TemplateException">The template cannot show the turn as the model would write it.</exception>
    public TokenRow Row(IEnumerable<ChatMessage> messages, string thinking, string answer)
    {
        var masked = Masked(messages, thinking, answer);
        var (tokens, weights) = (new List<int>(), new List<float>());
        var at = 0;
        // Cut where the model begins to write: it never sees tokens that lie across that place.
        foreach (var span in masked.Trained)
        {
            Add(at, span.Start, 0);
            Add(span.Start, span.End, 1);
            at = span.End;
        }

        return new([.. tokens], [.. weights]);

        void Add(int from, int to, float weight)
        {
            if (to <= from) return;
            var part = _tokenizer.Encode(masked.Text[from..to]);
            tokens.AddRange(part);
            weights.AddRange(Enumerable.Repeat(weight, part.Length));
        }
    }

    /// <summary>A conversation with the assistant's next turn as text, and the parts of it that training covers.</summary>
    /// <exception cref="TemplateException">The template cannot show the turn as the model would write it.</exception>
    public MaskedPrompt Masked(IEnumerable<ChatMessage> messages, string thinking, string answer)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(thinking);
        ArgumentNullException.ThrowIfNull(answer);
        TemplateValue[] before = [.. messages.Select(Value)];
        if (thinking.Length == 0) return Last(Message("assistant", Safe(answer)));
        try
        {
            // The template's own place for thoughts, where it has one.
            if (Last(Message("assistant", Safe(answer), ("reasoning_content", TemplateValue.Of(Safe(thinking))))) is var masked && masked.Trained.Any(span => masked.Text[span.Start..span.End].Contains(Safe(thinking).Trim(), StringComparison.Ordinal)))
                return masked;
        }
        catch (TemplateException)
        {
            // It leaves thoughts out.
        }

        return Last(Message("assistant", $"{Open}\n{Safe(thinking).Trim()}\n{Close}\n\n{Safe(answer).Trim()}"));

        MaskedPrompt Last(TemplateValue turn)
        {
            var masked = PromptMask.Render(_template, Input([.. before, turn], thinking.Length > 0));
            // Earlier turns were not written for this.
            return masked with { Trained = [masked.Trained[^1]] };
        }
    }

    private TemplateInput Input(IEnumerable<TemplateValue> messages, bool thinking) => new()
    {
        Messages = [.. messages],
        SpecialTokens = _special,
        Variables = new Dictionary<string, TemplateValue> { ["enable_thinking"] = thinking ? Yes : No },
    };

    private TemplateValue Value(ChatMessage message) => Message(message.Role.Value, Safe(message.Text));

    private static TemplateValue Message(string role, string content, params ReadOnlySpan<(string Name, TemplateValue Value)> more) =>
        TemplateValue.Map([new("role", TemplateValue.Of(role)), new("content", TemplateValue.Of(content)), .. more.ToArray().Select(entry => KeyValuePair.Create(entry.Name, entry.Value))]);

    private string Safe(string text)
    {
        foreach (var token in _control) text = text.Replace(token, $"{token[0]} {token[1..]}", StringComparison.Ordinal);
        return text;
    }

    private sealed class ReplyReader(StreamingDecoder decoder, ThoughtSplitter splitter) : IReplyReader
    {
        public IReadOnlyList<SplitText> Add(int token) => splitter.Add(decoder.Add(token));

        public IReadOnlyList<SplitText> Finish() => [.. splitter.Add(decoder.Finish()), .. splitter.Finish()];
    }
}
