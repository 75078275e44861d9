using System.Buffers;
using Deliberate.Conversations;

namespace Deliberate.Server.Rewards;

/// <summary>
/// Reads what a trainer sends as plain text: a prompt that a chat template has rendered, and the model's text after it. Only the prompt is searched for turns:
/// a model cannot put words into the user's mouth by writing the marks of a turn. Thread-safe; never throws on any text.
/// </summary>
internal static class RenderedChat
{
    /// <summary>The conversation of a prompt and the completion after it; of its thought only whether there is one.</summary>
    /// <param name="prompt">The prompt as it was rendered, or plain text.</param>
    /// <param name="query">The prompt and what the model wrote, special tokens kept.</param>
    /// <returns>Null when the query does not begin with the prompt.</returns>
    public static (Conversation Conversation, Completion Completion)? Read(string prompt, ReadOnlySpan<char> query)
    {
        var at = PromptPrefix.End(prompt, query);
        if (at < 0) return null;
        var (conversation, opening, family) = ReadPrompt(prompt);
        // What the template wrote for the model (an opened thought, the beginning of an answer) is read as if the model had written it.
        if (opening.Length == 0) return (conversation, ReadResponse(query[at..], family));
        var whole = ArrayPool<char>.Shared.Rent(opening.Length + query.Length - at);
        try
        {
            opening.CopyTo(whole);
            query[at..].CopyTo(whole.AsSpan(opening.Length));
            return (conversation, ReadResponse(whole.AsSpan(0, opening.Length + query.Length - at), family));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(whole);
        }
    }

    /// <summary>The completion in a text whose special tokens are gone, or nearly; of its thought only whether there is one.</summary>
    /// <param name="text">The model's text.</param>
    /// <param name="opened">True when the prompt ended inside the thought.</param>
    /// <param name="truncated">True when the text is known to be cut.</param>
    public static Completion ReadResponse(string text, bool opened = false, bool truncated = false)
    {
        var read = CompletionReader.ReadAnswer(text, opened, truncated);
        return read with { Answer = ChatFamily.TrimEnd(read.Answer) };
    }

    /// <summary>The turns of a rendered prompt and what it has begun for the model. A prompt without marks is one turn of the user.</summary>
    internal static (Conversation Conversation, string Opening, ChatFamily? Family) ReadPrompt(string prompt)
    {
        if (ChatFamily.Of(prompt) is not var (family, header)) return (Conversation.FromUser(ChatFamily.TrimStart(prompt).Trim().ToString()), "", null);
        var turns = new List<Turn>();
        var opening = "";
        Add(Role.System, ChatFamily.TrimEnd(ChatFamily.TrimStart(prompt.AsSpan(0, header.Index))));
        while (header.Success)
        {
            var next = header.NextMatch();
            var (from, to) = (header.Index + header.Length, next.Success ? next.Index : prompt.Length);
            var role = ChatFamily.RoleOf(header);
            if (!next.Success && role == Role.Assistant) opening = header.Groups["channel"].Success ? prompt[header.Index..] : prompt[from..to];
            else if (role is { } speaker && family.IsShown(header)) Add(speaker, family.Content(prompt.AsSpan(from..to), speaker));
            header = next;
        }

        return (new(turns), opening, family);

        void Add(Role role, ReadOnlySpan<char> text)
        {
            if (role == Role.User && family.SystemInUser(text) is var (system, rest))
            {
                Add(Role.System, text[system]);
                text = text[rest];
            }

            text = text.Trim();
            if (text.Length > 0) turns.Add(new(role, role == Role.Assistant ? CompletionReader.Read(text).Answer : text.ToString()));
        }
    }

    private static Completion ReadResponse(ReadOnlySpan<char> text, ChatFamily? family)
    {
        // The thought first: in doubt, what stands before its end is no answer, whatever other tokens are in it.
        var read = CompletionReader.ReadAnswer(ChatFamily.TrimEnd(text));
        return read with { Answer = family is null ? ChatFamily.TrimEnd(read.Answer) : family.Answer(read.Answer) };
    }
}
