using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Deliberate.Conversations;

namespace Deliberate.Prompts;

/// <summary>Makes prompts of rows: finds the fields by the mapping or by their usual names, and reads them. Thread-safe.</summary>
internal sealed class PromptShape(string path, PromptFields mapping)
{
    // In this order; the first that a row has counts. The last two are those of StrongREJECT and SimpleSafetyTests.
    private static readonly string[] PromptNames = ["prompt", "question", "instruction", "request", "query", "text", "forbidden_prompt", "prompts_final"];
    private static readonly string[] MessagesNames = ["messages", "conversations", "conversation"];
    private static readonly string[] AnswerNames = ["response", "answer", "completion", "output"];
    private static readonly string[] CategoryNames = ["category", "categories", "harm_area"];

    /// <summary>Whether a header names the field of the prompt.</summary>
    public static bool NamesPrompt(IReadOnlyList<string> header, PromptFields? fields)
    {
        IEnumerable<string> names = fields is null or { Prompt: null, Messages: null } ? PromptNames.Concat(MessagesNames) : new[] { fields.Messages, fields.Prompt }.OfType<string>().Take(1);
        return header.Any(cell => names.Contains(cell.Trim(), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>"a number", "a list": what a value is, in a message.</summary>
    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };

    /// <summary>The prompt of a row, or null with what is wrong.</summary>
    public SourcePrompt? Read(PromptRow row, out string problem)
    {
        problem = "";
        try
        {
            if (row.Problem is { } broken) throw new RowException(broken);
            return Read(row);
        }
        catch (RowException wrong)
        {
            problem = $"{row.Place}: {wrong.Message}".ReplaceLineEndings(" ");
            return null;
        }
    }

    private SourcePrompt Read(PromptRow row)
    {
        var (conversation, given) = Conversation(row);
        var id = Scalar(row, mapping.Id, "id") ?? PromptText.Id(conversation);
        // XSTest names its categories "type", a name that means other things elsewhere.
        var xstest = row.Fields.ContainsKey("type") && (row.Fields.ContainsKey("focus") || row.Fields.ContainsKey("final_label"));
        var categories = Categories(row, xstest);
        var label = Scalar(row, mapping.Label, "label");
        var tags = new Dictionary<string, string> { ["file"] = Path.GetFileName(path) };
        if (label is not null) tags["label"] = label;
        if (Scalar(row, null, "source") is { } source) tags["source"] = source;
        foreach (var name in (string[])["contrast", "from"])
            if (Scalar(row, null, name) is { } value) tags[name] = value;
        return new(new Prompt(id, conversation, categories.Count > 0 ? categories[0] : null, tags), categories, label, path, row.Number, row.Place, Scalar(row, null, PromptRecord.SplitKey), given);
    }

    private (Conversation Asked, Completion? Given) Conversation(PromptRow row)
    {
        var named = mapping.Messages ?? mapping.Prompt;
        var (name, value) = named is not null ? (named, Find(row, named) ?? throw Missing(row, named)) : Usual(row);
        if (value.ValueKind == JsonValueKind.String && Text(value, name).TrimStart().StartsWith('[') && Parsed(Text(value, name)) is { } list) value = list;
        List<Turn> turns = value.ValueKind switch
        {
            JsonValueKind.String => [new Turn(Role.User, Text(value, name))],
            JsonValueKind.Array => [.. value.EnumerateArray().Select((message, index) => Message(message, $"{name}[{index}]"))],
            _ => throw new RowException($"field '{name}' is {Kind(value)}; it must be text or a list of messages"),
        };
        // Rows for training end with the answer, which is no part of what was asked.
        var last = turns.FindLastIndex(turn => turn.Role is Role.User or Role.System);
        if (last < 0 || turns[last].Role != Role.User) throw new RowException($"field '{name}' does not end on a user's turn; drop the turns after the last question");
        if (string.IsNullOrWhiteSpace(turns[last].Text)) throw new RowException($"field '{name}' is empty; write the prompt or remove the row");
        return (new([.. turns.Take(last + 1)]), last + 1 < turns.Count ? Answered(value, last + 1) : Answered(row));
    }

    // The turn as it stands: what Message reads of it is without its thought.
    private static Completion? Answered(JsonElement messages, int turn)
    {
        var message = messages[turn];
        if ((Member(message, "content") ?? Member(message, "value")) is not { ValueKind: JsonValueKind.String } content) return null;
        var read = CompletionReader.Read(Text(content, "content"));
        foreach (var name in (string[])["thinking", "reasoning_content", "reasoning"])
            if (read.Thinking.Length == 0 && Member(message, name) is { ValueKind: JsonValueKind.String } thought) read = read with { Thinking = Text(thought, name).Trim() };
        return read;
    }

    private static Completion? Answered(PromptRow row)
    {
        foreach (var name in AnswerNames)
            if (Find(row, name) is { ValueKind: JsonValueKind.String } value) return CompletionReader.Read(Text(value, name));
        return null;
    }

    private static (string Name, JsonElement Value) Usual(PromptRow row)
    {
        foreach (var name in MessagesNames.Concat(PromptNames))
            if (Find(row, name) is { ValueKind: not JsonValueKind.Null } value) return (name, value);
        throw new RowException($"no field holds the prompt (there are {Names(row)}); name it with a mapping, prompt=FIELD");
    }

    private static Turn Message(JsonElement message, string name)
    {
        if (message.ValueKind != JsonValueKind.Object) throw new RowException($"field '{name}' is {Kind(message)}; a message is an object with role and content");
        var role = Member(message, "role") ?? Member(message, "from") ?? throw new RowException($"field '{name}' has no role; write \"role\": \"user\"");
        var content = Member(message, "content") ?? Member(message, "value") ?? throw new RowException($"field '{name}' has no content; write \"content\": \"…\"");
        var speaker = role.ValueKind == JsonValueKind.String ? Text(role, $"{name}.role").ToUpperInvariant() switch
        {
            "SYSTEM" or "DEVELOPER" => Role.System,
            "USER" or "HUMAN" => Role.User,
            "ASSISTANT" or "GPT" or "MODEL" or "BOT" => Role.Assistant,
            "TOOL" or "FUNCTION" or "OBSERVATION" => Role.Tool,
            var other => throw new RowException($"field '{name}.role' is '{Shortened(other.ToLowerInvariant())}'; known are system, user, assistant and tool"),
        }
        : throw new RowException($"field '{name}.role' is {Kind(role)}; it must be text");
        var text = content.ValueKind switch
        {
            JsonValueKind.String => Text(content, $"{name}.content"),
            // An assistant's turn that only calls a tool has no content.
            JsonValueKind.Null when speaker == Role.Assistant => "",
            JsonValueKind.Array => string.Concat(content.EnumerateArray().Select((part, index) => Part(part, $"{name}.content[{index}]"))),
            _ => throw new RowException($"field '{name}.content' is {Kind(content)}; it must be text"),
        };
        return new(speaker, speaker == Role.Assistant ? CompletionReader.Read(text).Answer : text);
    }

    private static string Part(JsonElement part, string name) =>
        part.ValueKind == JsonValueKind.String ? Text(part, name)
        : part.ValueKind == JsonValueKind.Object && Member(part, "text") is { ValueKind: JsonValueKind.String } text ? Text(text, $"{name}.text")
        : throw new RowException($"field '{name}' is no text; leave out rows with pictures or sound");

    private List<string> Categories(PromptRow row, bool xstest)
    {
        var name = mapping.Category ?? CategoryNames.FirstOrDefault(row.Fields.ContainsKey) ?? (xstest ? "type" : null);
        var found = name is null ? null : Find(row, name);
        if (name is not null && found is null && mapping.Category is not null && row.Table) throw Missing(row, name);
        if (name is null || found is not { } value || value.ValueKind == JsonValueKind.Null) return [];
        if (value.ValueKind == JsonValueKind.String && Text(value, name) is var text)
        {
            if (text.TrimStart().StartsWith('[') && Parsed(text) is { } list) value = list;
            else return Distinct(text.Split(';'));
        }

        return value.ValueKind switch
        {
            JsonValueKind.Array => Distinct(value.EnumerateArray().Select((item, index) => Plain(item, $"{name}[{index}]"))),
            _ => Distinct([Plain(value, name)]),
        };
    }

    private static List<string> Distinct(IEnumerable<string> names) => [.. names.Select(name => name.Trim()).Where(name => name.Length > 0).Distinct(StringComparer.Ordinal)];

    private static string? Scalar(PromptRow row, string? named, string usual)
    {
        if (Find(row, named ?? usual) is not { } value) return named is not null && row.Table ? throw Missing(row, named) : null;
        // A field of a usual name may be anything; one that was named must be right.
        if (named is null && value.ValueKind is JsonValueKind.Object or JsonValueKind.Array) return null;
        return value.ValueKind == JsonValueKind.Null ? null : Plain(value, named ?? usual).Trim() is { Length: > 0 } text ? text : null;
    }

    private static string Plain(JsonElement value, string name) => value.ValueKind switch
    {
        JsonValueKind.String => Text(value, name),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => throw new RowException($"field '{name}' is {Kind(value)}; it must be text"),
    };

    private static string Text(JsonElement value, string name)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new RowException($"field '{name}' is no valid text (half of a surrogate pair, or not UTF-8); mend it or remove the row");
        }
    }

    private static JsonElement? Member(JsonElement item, string name)
    {
        try
        {
            return item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            // A name beside it holds half of a surrogate pair.
            return null;
        }
    }

    private static JsonElement? Find(PromptRow row, string name)
    {
        if (row.Fields.TryGetValue(name, out var value)) return value;
        var parts = name.Split('.');
        if (parts.Length == 1 || !row.Fields.TryGetValue(parts[0], out value)) return null;
        JsonElement? found = value;
        foreach (var part in parts.Skip(1)) found = found is { } inner ? Member(inner, part) : null;
        return found;
    }

    private static JsonElement? Parsed(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(text) is { ValueKind: JsonValueKind.Array } list ? list : null;
        }
        catch (Exception problem) when (problem is JsonException or ArgumentException)
        {
            // A prompt may begin with a bracket and be no list.
            return null;
        }
    }

    private static RowException Missing(PromptRow row, string name) => new($"there is no field '{name}' (there are {Names(row)}); change the mapping");

    private static string Names(PromptRow row) => row.Fields.Count == 0 ? "none" : Shortened(string.Join(", ", row.Fields.Keys));

    private static string Shortened(string text) => text.Length <= 120 ? text : text[..120] + "…";

    [SuppressMessage("Design", "CA1064:Exceptions should be public", Justification = "Never leaves this class.")]
    private sealed class RowException(string message) : Exception(message);
}
