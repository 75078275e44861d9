using System.Text.Json;
using Deliberate.Inference.Files;

namespace Deliberate.Inference.Models;

/// <summary>What tokenizer.json says of itself.</summary>
/// <param name="Model">Its kind: BPE, Unigram, WordPiece or WordLevel.</param>
/// <param name="Vocabulary">Number of tokens, added ones included.</param>
public sealed record InspectedTokenizer(string Model, int Vocabulary)
{
    private const long Largest = 200_000_000;

    /// <summary>Looks into a file; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message names file and field.</exception>
    internal static InspectedTokenizer? Of(string file) => !File.Exists(file) ? null : Read(file, root =>
    {
        InvalidDataException Error(string problem) => new($"{file}: {problem}.");
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("model", out var model) || model.ValueKind != JsonValueKind.Object) throw Error("field 'model' is missing or no object");
        if (!model.TryGetProperty("vocab", out var vocabulary) || vocabulary.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)) throw Error("field 'model.vocab' is missing");
        int Id(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0 ? id : throw Error("a token's id is no number from 0 on");
        // Added tokens may stand in the vocabulary too.
        HashSet<int> ids = vocabulary.ValueKind == JsonValueKind.Object ? [.. vocabulary.EnumerateObject().Select(token => Id(token.Value))] : [.. Enumerable.Range(0, vocabulary.GetArrayLength())];
        if (root.TryGetProperty("added_tokens", out var added) && added.ValueKind == JsonValueKind.Array)
        {
            foreach (var token in added.EnumerateArray())
                ids.Add(token.ValueKind == JsonValueKind.Object && token.TryGetProperty("id", out var id) ? Id(id) : throw Error("an entry of field 'added_tokens' has no id"));
        }

        // Old files leave the kind out; of all kinds BPE alone has merges.
        var kind = model.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String ? OneLine.Of(type.GetString()!) : model.TryGetProperty("merges", out _) ? "BPE" : "unknown";
        return new InspectedTokenizer(kind, ids.Count);
    });

    /// <summary>Whether a model's folder has a chat template.</summary>
    internal static bool HasTemplate(string folder)
    {
        var settings = Path.Combine(folder, "tokenizer_config.json");
        return File.Exists(Path.Combine(folder, "chat_template.jinja")) || (File.Exists(settings) && Read(settings, root =>
            root.ValueKind == JsonValueKind.Object && root.TryGetProperty("chat_template", out var template) && template.ValueKind is JsonValueKind.String or JsonValueKind.Array));
    }

    private static T Read<T>(string file, Func<JsonElement, T> read)
    {
        try
        {
            // By its content's length: in a hub's cache files are links.
            using var stream = File.OpenRead(file);
            if (stream.Length > Largest) throw new InvalidDataException($"{file}: larger than {Largest / 1_000_000} MB.");
            using var document = JsonDocument.Parse(stream);
            return read(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // An escaped half of a surrogate pair shows only when its text is asked for.
            throw new InvalidDataException($"{file}: not valid JSON: {OneLine.Of(error.Message)}", error);
        }
    }
}
