namespace Deliberate.Inference.Weights.Gguf;

/// <summary>Metadata under the prefix of a file's architecture, checked for type and range.</summary>
internal sealed class GgufFields(GgufFile file, string architecture)
{
    public InvalidDataException Error(string key, string problem) => file.Error($"metadata '{architecture}.{key}' {problem}.");

    public bool Has(string key) => file.Metadata.ContainsKey($"{architecture}.{key}");

    public int Number(string key, int? otherwise = null)
    {
        if (!file.Metadata.TryGetValue($"{architecture}.{key}", out var value)) return otherwise ?? throw Error(key, "is missing");
        var number = value switch { uint n => n, int n => n, ulong n and <= int.MaxValue => (long)n, long n => n, ushort n => n, byte n => n, _ => throw Error(key, "is no whole number; one for all layers is read") };
        return number is > 0 and <= int.MaxValue ? (int)number : throw Error(key, $"is {number}");
    }

    public float Real(string key, float? otherwise = null)
    {
        if (!file.Metadata.TryGetValue($"{architecture}.{key}", out var value)) return otherwise ?? throw Error(key, "is missing");
        var number = value switch { float n => n, double n => (float)n, uint n => n, _ => throw Error(key, "is no number") };
        return number is > 0 and < 1e30f ? number : throw Error(key, $"is {number}");
    }

    public string? Text(string key) => file.Metadata.TryGetValue($"{architecture}.{key}", out var value) ? value as string ?? throw Error(key, "is no text") : null;
}
