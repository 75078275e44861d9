using System.Text.Json;

namespace Deliberate.Endpoints.Wire;

/// <summary>
/// The fields in which servers put a thought beside the text. The first that has something is read: servers that are changing from one
/// name to another send both.
/// </summary>
internal static class ThoughtFields
{
    /// <summary>Names of the fields, in the order in which they are read.</summary>
    public static readonly string[] Names = ["reasoning", "reasoning_content", "reasoning_details", "thinking"];

    /// <summary>The thought in a message or in a piece of one; empty when there is none.</summary>
    public static string Read(JsonElement? message)
    {
        foreach (var name in Names)
            if (Field(message.Get(name)) is { Length: > 0 } thinking) return thinking;
        // Some servers put the thought as a part into the content.
        return string.Concat(message.Get("content").Items().Where(part => part.Get("type").Text() is "thinking" or "reasoning")
            .Select(part => part.Get("thinking").Content() is { Length: > 0 } thinking ? thinking : part.Get("text").Text()));
    }

    private static string Field(JsonElement? field) => field.Text() ?? string.Concat(field.Items().Select(detail => detail.Get("text").Text() ?? detail.Get("summary").Text()));
}
