namespace Deliberate.Inference.Templates;

/// <summary>
/// A chat template: Jinja2 as transformers sets it up (<c>trim_blocks</c>, <c>lstrip_blocks</c>, loop controls, <c>generation</c> blocks, the
/// immutable sandbox), without access to files, attributes of objects or other templates, and with all work bounded by <see cref="TemplateLimits"/>.
/// </summary>
/// <remarks>Immutable and thread-safe: one template may render in many threads at once. The reference is Jinja2 3.1's documentation.</remarks>
public sealed class ChatTemplate
{
    /// <summary>Marks the place in the last message where a prompt that goes on with it is cut.</summary>
    private const string Cut = "CONTINUE_FINAL_MESSAGE_TAG ";

    private readonly Statement[] _body;

    private ChatTemplate(string name, string text, Statement[] body, bool marksGeneration) => (Name, Text, _body, MarksGeneration) = (name, text, body, marksGeneration);

    /// <summary>The name that errors give.</summary>
    public string Name { get; }

    /// <summary>What it was read from.</summary>
    public string Text { get; }

    /// <summary>Whether the template has <c>{% generation %}</c> blocks.</summary>
    public bool MarksGeneration { get; }

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">The text is no valid template, or beyond the limits.</exception>
    public static ChatTemplate Parse(string text, string name) => Parse(text, name, new());

    /// <summary>Reads a template within these limits.</summary>
    /// <exception cref="TemplateException">The text is no valid template, or beyond the limits.</exception>
    public static ChatTemplate Parse(string text, string name, TemplateLimits limits)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(limits);
        if (text.Length > limits.TemplateLength) throw new TemplateException(name, 1, "template", $"it has {text.Length} characters, more than {limits.TemplateLength} (limit {nameof(TemplateLimits.TemplateLength)})");
        var tokens = new Lexer(text, name).Read();
        var marks = tokens.Zip(tokens.Skip(1)).Any(pair => pair.First.Kind == TokenKind.BlockBegin && pair.Second.Is("generation"));
        return new(name, text, new Parser(tokens, name, limits).Parse(), marks);
    }

    /// <summary>Renders a conversation.</summary>
    /// <exception cref="TemplateException">The template refuses the conversation, fails on it, or goes beyond a limit.</exception>
    public RenderedPrompt Render(TemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!input.ContinueFinalMessage) return Render(input, input.Messages);
        if (input.AddGenerationPrompt) throw new TemplateException(Name, 1, "continue final message", "a prompt either goes on with the last message or begins a new one");
        if (input.Messages is not [.., MapValue last] || Continued(last) is not var (messages, text)) throw new TemplateException(Name, 1, "continue final message", "the last message has no text to go on with");
        var rendered = Render(input, [.. input.Messages.SkipLast(1), messages]);
        var at = rendered.Text.LastIndexOf(Cut.TrimEnd(), StringComparison.Ordinal);
        if (at < 0 || !rendered.Text.Contains(TextMethods.Strip(text, null, start: true, end: true), StringComparison.Ordinal))
            throw new TemplateException(Name, 1, "continue final message", "the template changes or leaves out the last message, so the prompt cannot end with it");
        var kept = rendered.Text[..at];
        if (string.CompareOrdinal(rendered.Text, at, Cut, 0, Cut.Length) != 0) kept = PythonText.TrimEnd(kept);
        return rendered with
        {
            Text = kept,
            Generations = [.. rendered.Generations.Where(span => span.Start < kept.Length).Select(span => new TextSpan(span.Start, Math.Min(span.End, kept.Length)))],
        };
    }

    /// <summary>The message with the mark at the end of its text, and that text.</summary>
    private static (MapValue Message, string Text)? Continued(MapValue message)
    {
        switch (message.Find("content"))
        {
            case TextValue text: return (With(message, "content", new TextValue(text.Text + Cut)), text.Text);
            case ListValue parts:
                for (var i = parts.Values.Length - 1; i >= 0; i--)
                    if (parts.Values[i] is MapValue part && part.Find("text") is TextValue last)
                        return (With(message, "content", new ListValue([.. parts.Values[..i], With(part, "text", new TextValue(last.Text + Cut)), .. parts.Values[(i + 1)..]])), last.Text);
                break;
        }

        return null;
    }

    /// <summary>The message with its thought under both names that templates read, as transformers 5 hands it over.</summary>
    private static TemplateValue WithThought(TemplateValue message)
    {
        if (message is not MapValue map) return message;
        return (map.Find("reasoning_content"), map.Find("thinking")) switch
        {
            (TextValue thought, null) => With(map, "thinking", thought),
            (null, TextValue thought) => With(map, "reasoning_content", thought),
            _ => message,
        };
    }

    private static MapValue With(MapValue map, string key, TemplateValue value) => new([.. map.Entries, new(new TextValue(key), value)]);

    private RenderedPrompt Render(TemplateInput input, IReadOnlyList<TemplateValue> messages)
    {
        var globals = new Scope(null);
        Globals.AddTo(globals);
        var context = new Scope(globals);
        context.Set("messages", new ListValue([.. messages.Select(WithThought)]));
        context.Set("tools", input.Tools ?? TemplateValue.None);
        context.Set("documents", TemplateValue.None);
        context.Set("add_generation_prompt", BoolValue.Of(input.AddGenerationPrompt));
        foreach (var (token, text) in input.SpecialTokens) context.Set(token, new TextValue(text));
        foreach (var (variable, value) in input.Variables) context.Set(variable, value);
        return Render(context, input.Limits, input.Time);
    }

    /// <summary>Renders with these names alone, for tests of the language itself.</summary>
    internal RenderedPrompt Render(IReadOnlyDictionary<string, TemplateValue> variables, TemplateLimits? limits = null, TimeProvider? time = null)
    {
        var globals = new Scope(null);
        Globals.AddTo(globals);
        var context = new Scope(globals);
        foreach (var (variable, value) in variables) context.Set(variable, value);
        return Render(context, limits ?? new(), time ?? TimeProvider.System);
    }

    private RenderedPrompt Render(Scope context, TemplateLimits limits, TimeProvider time)
    {
        var run = new Run(limits, time);
        try
        {
            run.Render(_body, new(context));
        }
        catch (TemplateFault fault)
        {
            throw new TemplateException(Name, run.At?.Line ?? 1, run.At?.Construct ?? "template", fault.Message, fault.Raised, fault);
        }

        var text = run.Prompt;
        var spans = new List<TextSpan>();
        int? lost = null;
        foreach (var (start, generated, line) in run.Generations)
        {
            // A mark in a macro is written to the prompt later and perhaps elsewhere: only text that is found at its place is taken.
            if (string.CompareOrdinal(text, start, generated, 0, generated.Length) == 0) spans.Add(new(start, start + generated.Length));
            else lost ??= line;
        }

        return new(text, spans) { LostGeneration = lost };
    }
}
