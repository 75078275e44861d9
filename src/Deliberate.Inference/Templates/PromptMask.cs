namespace Deliberate.Inference.Templates;

/// <summary>A conversation as training text.</summary>
/// <param name="Text">The whole text.</param>
/// <param name="Trained">What the assistant wrote in it, which the loss covers: thought, answer and end of turn, in order, in UTF-16 characters.</param>
public sealed record MaskedPrompt(string Text, IReadOnlyList<TextSpan> Trained);

/// <summary>
/// Finds what the assistant wrote in a rendered conversation. A template that marks it with <c>{% generation %}</c> is believed. With any other one the
/// prompt up to each assistant turn is rendered, as the model would get it, and the turn is what follows it in the whole.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public static class PromptMask
{
    private const string OpenThought = "<think>", CloseThought = "</think>";

    /// <summary>Stands at the end of an answer in a second render; what follows it there follows the answer in the first.</summary>
    private const string End = "ANSWER_ENDS_HERE";

    /// <summary>
    /// Renders a conversation with the parts that training covers. Where a template writes earlier turns otherwise than the model wrote them, such as
    /// without their thoughts, only the last assistant turn is covered.
    /// </summary>
    /// <exception cref="TemplateException">The template fails, or what the assistant wrote cannot be told; the message says why.</exception>
    public static MaskedPrompt Render(ChatTemplate template, TemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(input);
        input = input with { AddGenerationPrompt = false, ContinueFinalMessage = false };
        var whole = template.Render(input);
        if (template.MarksGeneration)
        {
            if (whole.LostGeneration is { } line) throw new TemplateException(template.Name, line, "generation", "its place in the prompt cannot be told, since it stands in a macro or another captured block");
            TextSpan[] marked = [.. whole.Generations.Where(span => span.Length > 0).OrderBy(span => span.Start)];
            return marked.Length > 0 ? new(whole.Text, marked) : throw Unknown(template, "the template's generation blocks mark nothing in this conversation");
        }

        int[] turns = [.. Enumerable.Range(0, input.Messages.Count).Where(i => Text(input.Messages[i], "role") == "assistant")];
        if (turns.Length == 0) throw Unknown(template, "the conversation has no assistant turn");
        var last = turns[^1] == input.Messages.Count - 1 ? LastTurn(template, input, whole.Text) : Earlier(template, input, turns[^1], whole.Text);
        if (last is not { } final) throw Unknown(template, "the template writes the last assistant turn otherwise once a message follows it; let the conversation end with that turn");
        var earlier = turns[..^1].Select(turn => Earlier(template, input, turn, whole.Text)).ToArray();
        return new(whole.Text, earlier.All(span => span is not null) ? [.. earlier.Select(span => span!.Value), final] : [final]);
    }

    /// <summary>What the model writes after its answer to end its turn; empty where the template writes nothing there.</summary>
    /// <param name="template">The template.</param>
    /// <param name="input">A conversation that ends with the assistant's turn.</param>
    /// <exception cref="TemplateException">The template fails, or leaves the answer out.</exception>
    internal static string EndOfTurn(ChatTemplate template, TemplateInput input)
    {
        var rest = Rest(template, input with { AddGenerationPrompt = false, ContinueFinalMessage = false }, (MapValue)input.Messages[^1]);
        return rest[..EndOfTurn(rest)];
    }

    /// <summary>An earlier turn, if it stands in the whole as it stood when it was the last one.</summary>
    private static TextSpan? Earlier(ChatTemplate template, TemplateInput input, int turn, string whole)
    {
        try
        {
            var until = input with { Messages = [.. input.Messages.Take(turn + 1)] };
            var text = template.Render(until).Text;
            var span = LastTurn(template, until, text);
            return whole.AsSpan().StartsWith(text.AsSpan(0, span.End)) ? span : null;
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    private static TextSpan LastTurn(ChatTemplate template, TemplateInput input, string whole)
    {
        var start = Start(template, input, whole);
        var message = (MapValue)input.Messages[^1];
        var (thought, answer) = Written(message);
        if (thought.Length > 0 && whole.IndexOf(thought, start, StringComparison.Ordinal) < 0)
            throw Unknown(template, "the template leaves out the thought of the last assistant turn, so the model would not learn it; use a template for training, with generation blocks");
        if (message.Find("tool_calls") is { Truth: true }) return new(start, PythonText.TrimEnd(whole).Length);
        if (answer.Length > 0 && whole.IndexOf(answer, start, StringComparison.Ordinal) < 0) throw Unknown(template, "the template changes or leaves out the answer of the last assistant turn");
        var rest = Rest(template, input, message);
        if (!whole.EndsWith(rest, StringComparison.Ordinal) || whole.Length - rest.Length < start) throw Unknown(template, "the end of the last assistant turn depends on its answer");
        return new(start, whole.Length - rest.Length + EndOfTurn(rest));
    }

    /// <summary>Where the model begins to write in its last turn.</summary>
    private static int Start(ChatTemplate template, TemplateInput input, string whole)
    {
        var prompt = template.Render(input with { Messages = [.. input.Messages.SkipLast(1)], AddGenerationPrompt = true }).Text;
        if (whole.StartsWith(prompt, StringComparison.Ordinal)) return prompt.Length;
        // A prompt may open the thought for the model where the whole opens it otherwise, or has none.
        var trimmed = PythonText.TrimEnd(prompt);
        if (trimmed.EndsWith(OpenThought, StringComparison.Ordinal) && trimmed[..^OpenThought.Length] is var head && whole.StartsWith(head, StringComparison.Ordinal))
            return whole.AsSpan(head.Length).StartsWith(OpenThought) ? trimmed.Length : head.Length;
        throw Unknown(template, "the prompt that the model gets is not the beginning of the whole conversation: the template writes earlier messages otherwise once an answer follows");
    }

    /// <summary>What the template writes after the answer.</summary>
    private static string Rest(ChatTemplate template, TemplateInput input, MapValue message)
    {
        var content = message.Find("content");
        var marked = content switch
        {
            TextValue text => new TextValue(text.Text + End),
            ListValue { Values: [.., MapValue part] } parts when part.Find("text") is TextValue text =>
                new ListValue([.. parts.Values.SkipLast(1), new MapValue([.. part.Entries, new(new TextValue("text"), new TextValue(text.Text + End))])]),
            _ => (TemplateValue?)null,
        };
        if (marked is null) throw Unknown(template, "the last assistant turn has no text");
        var changed = new MapValue([.. message.Entries, new(new TextValue("content"), marked)]);
        var other = template.Render(input with { Messages = [.. input.Messages.SkipLast(1), changed] }).Text;
        var at = other.LastIndexOf(End, StringComparison.Ordinal);
        return at >= 0 ? other[(at + End.Length)..] : throw Unknown(template, "the template leaves out the answer of the last assistant turn");
    }

    /// <summary>How much of what follows an answer the model writes itself: one marker, not the white space and the markers after it.</summary>
    private static int EndOfTurn(string rest)
    {
        var from = rest.TakeWhile(PythonText.IsSpace).Count();
        var to = from;
        while (to < rest.Length && !PythonText.IsSpace(rest[to]))
            if (rest[to++] == (rest[from] == '[' ? ']' : '>')) break;
        return to > from ? to : 0;
    }

    private static (string Thought, string Answer) Written(MapValue message)
    {
        var content = message.Find("content") switch
        {
            TextValue text => text.Text,
            ListValue parts => parts.Values.LastOrDefault() is { } part ? Text(part, "text") : "",
            _ => "",
        };
        var thought = Text(message, "reasoning_content") is { Length: > 0 } named ? named : Text(message, "thinking");
        if (content.LastIndexOf(CloseThought, StringComparison.Ordinal) is var close and >= 0)
        {
            if (thought.Length == 0) thought = content[..close].Split(OpenThought)[^1];
            content = content[(close + CloseThought.Length)..];
        }

        return (thought.Trim(), content.Trim());
    }

    private static string Text(TemplateValue message, string field) => (message as MapValue)?.Find(field) is TextValue text ? text.Text : "";

    private static TemplateException Unknown(ChatTemplate template, string reason) => new(template.Name, 1, "mask", reason);
}
