namespace Deliberate.Prompts;

/// <summary>Which fields of a file hold what. A field that is not named is found by its usual names; <c>docs/prompts.md</c> lists them. Immutable.</summary>
/// <param name="Id">The field with the prompt's id; where there is none, the id is a hash of the conversation.</param>
/// <param name="Prompt">The field with the user's words, or with a list of messages.</param>
/// <param name="Messages">The field with a list of messages; it goes before <paramref name="Prompt"/>.</param>
/// <param name="Category">The field with one category, a list of them, or several with ';' between.</param>
/// <param name="Label">The field with another label, such as "safe".</param>
public sealed record PromptFields(string? Id = null, string? Prompt = null, string? Messages = null, string? Category = null, string? Label = null)
{
    /// <summary>Reads "prompt=question,category=harm_area". In JSON, a dot leads into an object: "messages=input.turns".</summary>
    /// <exception cref="ArgumentException">A part is no NAME=FIELD, or its name is unknown.</exception>
    public static PromptFields Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var fields = new PromptFields();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, field) = part.Split('=', 2, StringSplitOptions.TrimEntries) is [var left, { Length: > 0 } right] ? (left, right) : ("", "");
            fields = name switch
            {
                "id" => fields with { Id = field },
                "prompt" => fields with { Prompt = field },
                "messages" => fields with { Messages = field },
                "category" => fields with { Category = field },
                "label" => fields with { Label = field },
                _ => throw new ArgumentException($"'{part}' maps no field: write NAME=FIELD with one of id, prompt, messages, category, label.", nameof(text)),
            };
        }

        return fields;
    }
}

/// <summary>How a file of prompts is read.</summary>
/// <param name="Fields">Which fields hold what; null finds them by their usual names.</param>
/// <param name="Skipped">
/// Hears of each row that cannot be read, in one line, and the row is passed over. Null ends the reading at the first such row. A file whose
/// rows can no longer be told apart ends the reading in any case.
/// </param>
/// <param name="LongestRow">Most bytes of a line of JSON, and most characters of a CSV cell: what bounds the memory.</param>
public sealed record PromptFileOptions(PromptFields? Fields = null, Action<string>? Skipped = null, int LongestRow = 1 << 24);
