using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Deliberate.Conversations;

/// <summary>
/// Splits what a model returned into thought and answer, whichever way it marks the thought: reasoning contents, a reasoning field
/// beside the message, the channels of the harmony format, or tags in the text, with or without the opening one (chat templates often
/// put that in the prompt).
/// In doubt, text counts as thought, so that no thought is shown as an answer. Thread-safe; never throws on any text.
/// </summary>
public static class CompletionReader
{
    /// <summary>Stands for a thought where <see cref="ReadAnswer"/> found one.</summary>
    public const string SomeThought = "…";

    private static readonly string[] Fields = ["reasoning", "reasoning_content", "reasoning_details", "thinking"];

    /// <summary>Reads a chat client's response.</summary>
    /// <param name="response">The response; all its messages are read.</param>
    /// <param name="opened">True when the prompt ended inside the thought, so that the text starts with it.</param>
    public static Completion Read(ChatResponse response, bool opened = false)
    {
        ArgumentNullException.ThrowIfNull(response);
        var thinking = new StringBuilder();
        foreach (var message in response.Messages)
        {
            var before = thinking.Length;
            foreach (var content in message.Contents.OfType<TextReasoningContent>())
            {
                thinking.Append(content.Text);
                opened = false; // a client that gives the thought apart, even an empty one, has seen its end
            }

            if (thinking.Length == before) thinking.Append(Field(message.AdditionalProperties));
        }

        if (thinking.Length == 0) thinking.Append(Field(response.AdditionalProperties));
        var cut = response.FinishReason == ChatFinishReason.Length;
        // A thought that came apart from the text has also ended apart from it.
        var inline = Read(response.Text, opened && thinking.Length == 0, cut);
        return After(thinking.ToString().Trim(), inline);
    }

    /// <summary>Reads plain text. The answer is what follows the last closing tag, up to an opening tag that is never closed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="opened">True when the prompt ended inside the thought, so that the text starts with it.</param>
    /// <param name="truncated">True when the text is known to be cut.</param>
    public static Completion Read(string text, bool opened = false, bool truncated = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        // Most texts that are read once more hold no thought; they are not copied.
        var trimmed = text.Trim();
        return opened || trimmed.AsSpan().ContainsAny('<', '[') || ThoughtMarks.BareChannels(trimmed) is not null ? Read(text.AsSpan(), opened, truncated) : new("", trimmed, truncated);
    }

    /// <summary>Reads plain text that is part of another, as <see cref="Read(string, bool, bool)"/> does.</summary>
    /// <param name="text">The text.</param>
    /// <param name="opened">True when the prompt ended inside the thought, so that the text starts with it.</param>
    /// <param name="truncated">True when the text is known to be cut.</param>
    public static Completion Read(ReadOnlySpan<char> text, bool opened = false, bool truncated = false) => Read(text, opened, truncated, Untagged);

    /// <summary>
    /// The same for readers whom the thought does not concern: of it, <see cref="Completion.Thinking"/> tells whether there is one
    /// (<see cref="SomeThought"/>) or none (empty). Quicker, too: most of what models write is thought.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="opened">True when the prompt ended inside the thought, so that the text starts with it.</param>
    /// <param name="truncated">True when the text is known to be cut.</param>
    public static Completion ReadAnswer(ReadOnlySpan<char> text, bool opened = false, bool truncated = false)
    {
        var read = Read(text, opened, truncated, WhetherAny);
        return read.Thinking.Length == 0 ? read : read with { Thinking = SomeThought };
    }

    private static Completion Read(ReadOnlySpan<char> text, bool opened, bool truncated, Func<ReadOnlySpan<char>, string> untagged)
    {
        var marked = text.ContainsAny('<', '['); // every mark begins with one of these
        if ((marked && ThoughtMarks.IndexOf(text, ThoughtMarks.Channel) >= 0) || (!opened && ThoughtMarks.BareChannels(text) is not null))
            return ReadChannels(text.ToString(), opened, truncated);
        if (!marked && opened) return new(untagged(text), "", true);
        if (!marked && ThoughtMarks.BareChannels(text.Trim()) is null) return new("", text.Trim().ToString(), truncated);
        var (end, answerAt) = LastClose(text);
        if (answerAt == 0 && opened) return new(untagged(text), "", true);
        var thinking = text[..end];
        var answer = text[answerAt..];
        var open = FirstOpen(answer);
        var read = open < 0
            ? new Completion(untagged(thinking), answer.Trim().ToString(), truncated)
            : new(untagged($"{thinking}\n{answer[open..]}"), answer[..open].Trim().ToString(), true);
        return ThoughtMarks.BareChannels(read.Answer) is null ? read : After(read.Thinking, Read(read.Answer, false, read.Truncated));
    }

    private static Completion ReadChannels(string text, bool opened, bool truncated)
    {
        var splitter = new ThoughtSplitter(opened ? ThoughtStart.Thought : ThoughtStart.Unknown);
        SplitText[] parts = [.. splitter.Add(text), .. splitter.Finish()];
        var thinking = Untagged(string.Concat(parts.Where(part => part.IsThought).Select(part => part.Text)));
        // What is left is shorter and has no channel, but may hold a thought of another kind.
        return After(thinking, Read(string.Concat(parts.Where(part => !part.IsThought).Select(part => part.Text)), false, truncated || splitter.Unclosed));
    }

    private static Completion After(string thinking, Completion rest) =>
        rest with { Thinking = thinking.Length == 0 ? rest.Thinking : rest.Thinking.Length == 0 ? thinking : $"{thinking}\n{rest.Thinking}" };

    private static (int End, int AnswerAt) LastClose(ReadOnlySpan<char> text)
    {
        for (var at = text.LastIndexOfAny('<', '['); at >= 0; at = text[..at].LastIndexOfAny('<', '['))
            foreach (var (_, close) in ThoughtMarks.Tags)
                if (text[at..].StartsWith(close, StringComparison.OrdinalIgnoreCase)) return (at, at + close.Length);
        return (0, 0);
    }

    private static int FirstOpen(ReadOnlySpan<char> text)
    {
        var first = -1;
        foreach (var (open, _) in ThoughtMarks.Tags)
        {
            var at = ThoughtMarks.IndexOf(text, open);
            if (at >= 0 && (first < 0 || at < first)) first = at;
        }

        return first;
    }

    private static string Untagged(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        // Most thoughts have one tag, and begin with it.
        foreach (var (open, _) in ThoughtMarks.Tags)
            if (text.StartsWith(open, StringComparison.OrdinalIgnoreCase)) text = text[open.Length..].TrimStart();
        var rest = text.ToString();
        if (!text.ContainsAny('<', '[')) return rest;
        foreach (var (open, close) in ThoughtMarks.Tags) rest = Without(Without(rest, open), close);
        return rest.Trim();

        // Not string.Replace: to ignore case it looks at every character.
        static string Without(string text, string tag)
        {
            var at = ThoughtMarks.IndexOf(text, tag);
            if (at < 0) return text;
            var (kept, from) = (new StringBuilder(text.Length), 0);
            while (at >= 0)
            {
                kept.Append(text, from, at - from);
                from = at + tag.Length;
                var next = ThoughtMarks.IndexOf(text.AsSpan(from), tag);
                at = next < 0 ? -1 : from + next;
            }

            return kept.Append(text, from, text.Length - from).ToString();
        }
    }

    private static string WhetherAny(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        foreach (var (open, _) in ThoughtMarks.Tags)
            if (text.StartsWith(open, StringComparison.OrdinalIgnoreCase)) text = text[open.Length..].TrimStart();
        return text.ContainsAny('<', '[') ? Untagged(text) : text.Length > 0 ? SomeThought : "";
    }

    private static string? Field(AdditionalPropertiesDictionary? properties)
    {
        foreach (var field in Fields)
        {
            if (properties is null || !properties.TryGetValue(field, out var value)) continue;
            var text = value switch { string plain => plain, JsonElement json => Text(json), _ => null };
            if (!string.IsNullOrWhiteSpace(text)) return text;
        }

        return null;
    }

    // A field is a text, or a list of details of which each has a text or a summary.
    private static string? Text(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => String(json),
        JsonValueKind.Array => string.Concat(json.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object).Select(item =>
            item.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String ? String(text)
            : item.TryGetProperty("summary", out var summary) && summary.ValueKind == JsonValueKind.String ? String(summary) : null)),
        _ => null,
    };

    private static string? String(JsonElement json)
    {
        try
        {
            return json.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair, which JSON can write and .NET cannot read
        }
    }
}
