using System.Text.Json;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Chat;

/// <summary>A request's JSON, whose fields are taken by type. Errors name the field and never repeat its value.</summary>
internal readonly struct RequestBody(JsonElement json)
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    public JsonElement Json { get; } = json;

    /// <exception cref="ApiException">It is no JSON object.</exception>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(request.Body, Strict, cancellationToken).ConfigureAwait(false);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw ApiException.Invalid(null, "The body is no JSON object.", "invalid_json");
            return new(document.RootElement.Clone());
        }
        catch (JsonException)
        {
            throw ApiException.Invalid(null, "The body is no JSON, names a field twice, or is nested too deeply.", "invalid_json");
        }
    }

    public JsonElement? Get(string name) => Json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public string? Text(string name) => Get(name) is not { } value ? null : value.ValueKind == JsonValueKind.String ? TextOf(value, name) : throw Wrong(name, "a text");

    public bool? Flag(string name) => Get(name) is not { } value ? null : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(name, "true or false");

    public int? Whole(string name, int least) =>
        Get(name) is not { } value ? null : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least ? number : throw Wrong(name, $"a whole number of at least {least}");

    public float? Number(string name, float least, float most) =>
        Get(name) is not { } value ? null : value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out var number) && number >= least && number <= most ? number : throw Wrong(name, $"a number from {least} to {most}");

    public IEnumerable<JsonElement> List(string name) => Get(name) is not { } value ? [] : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Wrong(name, "a list");

    public RequestBody? Object(string name) => Get(name) is not { } value ? null : value.ValueKind == JsonValueKind.Object ? new(value) : throw Wrong(name, "an object");

    /// <summary>Refuses fields that would change the answer and that this server does not know how to honour.</summary>
    public void Refuse(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (Get(name) is { } value && !(value.ValueKind == JsonValueKind.False || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0)))
                throw ApiException.Invalid(name, $"'{name}' is not supported here: leave it out.", "unsupported_parameter");
    }

    public static ApiException Wrong(string name, string rule) => ApiException.Invalid(name, $"'{name}' must be {rule}.");

    public static string TextOf(JsonElement value, string name)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(name, "well-formed Unicode"); // half of a surrogate pair
        }
    }
}
