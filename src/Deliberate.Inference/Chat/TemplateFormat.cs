using Deliberate.Conversations;
using Deliberate.Inference.Models;
using Deliberate.Inference.Templates;
using Deliberate.Inference.Tokenization;
using Microsoft.Extensions.AI;

namespace Deliberate.Inference.Chat;

/// <summary>
/// The format of a model with a chat template. The thought is told from the answer by the marks that <see cref="CompletionReader"/> knows; a model whose
/// template names none of them writes it between <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c> before its answer.
/// </summary>
/// <remarks>
/// Thread-safe. Control tokens that are written out in a message are broken by a space, so that text from outside cannot end its turn or begin another.
/// </remarks>
public sealed class TemplateFormat : IPromptFormat
{
    private static readonly TemplateValue Yes = TemplateValue.Of(true), No = TemplateValue.Of(false);

    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate _template;
    private readonly IReadOnlyDictionary<string, string> _special;
    private readonly string[] _control;
    private readonly ThoughtTag _tag;
    private readonly Dictionary<string, TemplateValue>[] _variables; // without a thought, with one

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
        var tag = ThoughtTag.OfTemplate(template.Text);
        _tag = tag ?? ThoughtTag.Think;
        // Some templates that know it by the shorter name ask for thoughts in words that no reader could tell from an answer.
        _variables = [.. new[] { No, Yes }.Select(value => new Dictionary<string, TemplateValue>(tag is null ? [new("enable_thinking", value)] : [new("enable_thinking", value), new("thinking", value)]))];
        (StartOfThinking, EndOfThinking) = (tokenizer.Encode(_tag.Open), tokenizer.Encode(_tag.Close));
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
        var (text, opened) = Waiting(messages as IReadOnlyList<ChatMessage> ?? [.. messages], thinking);
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
    /// <remarks>
    /// The text begins with the very prompt that the model gets when it is asked, and the rest of it is trained, unless the template marks what is. A template that
    /// cannot show the turn as the model would write it, since it drops thoughts or begins a finished turn otherwise, is asked for the prompt and the end of the turn alone.
    /// </remarks>
    /// <exception cref="TemplateException">The template refuses the conversation, or what ends a turn cannot be told.</exception>
    public MaskedPrompt Masked(IEnumerable<ChatMessage> messages, string thinking, string answer)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(thinking);
        ArgumentNullException.ThrowIfNull(answer);
        ChatMessage[] before = [.. messages];
        var (thought, said) = (Safe(thinking).Trim(), Safe(answer).Trim());
        var (asked, inside) = Waiting(before, thought.Length > 0);
        // The template's own place for thoughts, where it has one.
        if (thought.Length > 0 && Shown(Message("assistant", said, ("reasoning_content", TemplateValue.Of(thought)))) is { } own) return own;
        var tagged = thought.Length > 0 ? $"{_tag.Open}\n{thought}\n{_tag.Close}\n\n{said}" : said;
        if (Shown(Message("assistant", tagged)) is { } shown) return shown;
        if (inside) tagged = $"{(PythonText.IsSpace(asked[^1]) ? "" : "\n")}{thought}\n{_tag.Close}\n\n{said}";
        var text = $"{asked}{tagged}{EndOfTurn(Message("assistant", said))}";
        return new(text, [new(asked.Length, text.Length)]);

        MaskedPrompt? Shown(TemplateValue turn)
        {
            try
            {
                var masked = Last(turn);
                var trained = masked.Text.AsSpan(masked.Trained[0].Start, masked.Trained[0].End - masked.Trained[0].Start);
                // A thought between marks that no reader knows would be shown as an answer.
                if (!CompletionReader.Read(trained, inside).Thinking.Contains(thought, StringComparison.Ordinal)) return null;
                if (_template.MarksGeneration) return masked.Text.StartsWith(asked, StringComparison.Ordinal) ? masked : null;
                // A template that opens the thought before every answer opens it twice where the answer brings its own.
                return masked.Text[..masked.Trained[0].Start] == asked && !(inside && trained.TrimStart().StartsWith(_tag.Open)) ? masked : null;
            }
            catch (TemplateException)
            {
                return null;
            }
        }

        MaskedPrompt Last(TemplateValue turn)
        {
            var masked = PromptMask.Render(_template, Input([.. before.Select(Value), turn], thought.Length > 0));
            // Earlier turns were not written for this.
            return masked with { Trained = [masked.Trained[^1]] };
        }

        string EndOfTurn(TemplateValue turn)
        {
            if (PromptMask.EndOfTurn(_template, Input([.. before.Select(Value), turn], thought.Length > 0)) is { Length: > 0 } end) return end;
            return _special.GetValueOrDefault("eos_token") is { Length: > 0 } eos ? eos : throw new TemplateException(_template.Name, 1, "mask", "nothing says what ends a turn: the template writes nothing after an answer, and the model has no eos_token");
        }
    }

    /// <summary>The conversation as text that waits for the model, and whether it waits inside a thought.</summary>
    private (string Text, bool Opened) Waiting(IReadOnlyList<ChatMessage> messages, bool thinking)
    {
        var goesOn = messages is [.., { } last] && last.Role == ChatRole.Assistant;
        var text = _template.Render(Input(messages.Select(Value), thinking) with { AddGenerationPrompt = !goesOn, ContinueFinalMessage = goesOn }).Text;
        var open = text.LastIndexOf(_tag.Open, StringComparison.Ordinal);
        if (open < 0 || text.LastIndexOf(_tag.Close, StringComparison.Ordinal) > open || !(goesOn || string.IsNullOrWhiteSpace(text[(open + _tag.Open.Length)..]))) return (text, false);
        // A template that always opens a thought is answered by an empty one, as those do that know of answers without.
        return thinking || goesOn ? (text, true) : ($"{text[..(open + _tag.Open.Length)]}\n\n{_tag.Close}\n\n", false);
    }

    private TemplateInput Input(IEnumerable<TemplateValue> messages, bool thinking) => new()
    {
        Messages = [.. messages],
        SpecialTokens = _special,
        Variables = _variables[thinking ? 1 : 0],
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
