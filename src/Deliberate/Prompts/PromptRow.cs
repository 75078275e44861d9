using System.Text.Json;

namespace Deliberate.Prompts;

/// <summary>A row of a file before anybody knows what its fields mean.</summary>
/// <param name="Place">File and row as messages name them.</param>
/// <param name="Number">Its line in a text file, or else its number, from 1.</param>
/// <param name="Fields">The fields by name, whatever the case.</param>
/// <param name="Table">True when every row has all fields: a field that is named and not there is then a mistake.</param>
/// <param name="Problem">Why the row cannot be read, though those after it can; or null.</param>
internal sealed record PromptRow(string Place, int Number, IReadOnlyDictionary<string, JsonElement> Fields, bool Table, string? Problem = null)
{
    /// <summary>A row that cannot be read.</summary>
    public static PromptRow Broken(string place, int number, string problem) => new(place, number, new Dictionary<string, JsonElement>(), false, problem);
}
