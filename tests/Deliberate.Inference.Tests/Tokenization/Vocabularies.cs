using System.Text.Json;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Inference.Tests.Tokenization;

/// <summary>A text and what the reference library makes of it.</summary>
internal sealed record TokenizerCase(string Text, int[] Ids, int[] IdsSpecial, string Decoded, string DecodedSkip);

/// <summary>Tokenizers with what the reference library makes of a few hundred texts. Three small ones lie here, with a part of their texts; the rest beside the repository.</summary>
internal static class Vocabularies
{
    private static readonly JsonSerializerOptions Naming = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static string[] Small { get; } = ["edge-mini", "gemma-mini", "llama2-mini"];

    public static string SmallPath(string name) => Path.Combine(AppContext.BaseDirectory, "Tokenization", "Vocabularies", name);

    public static string SharedPath(string name) => name == "smollm2" ? Fixtures.Shared("models", "SmolLM2-135M-Instruct") : Fixtures.Shared("fixtures", "tokenizers", name);

    public static Tokenizer Load(string folder) => Tokenizer.Load(Path.Combine(folder, "tokenizer.json"));

    public static TokenizerCase[] Cases(string folder) =>
        [.. File.ReadLines(Path.Combine(folder, "cases.jsonl")).Select(line => JsonSerializer.Deserialize<TokenizerCase>(line, Naming)!)];
}
