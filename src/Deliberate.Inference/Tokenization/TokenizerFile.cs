using System.Text.Json;
using System.Text.Json.Nodes;

namespace Deliberate.Inference.Tokenization;

/// <summary>Reads and writes <c>tokenizer.json</c> for byte-level BPE.</summary>
internal static class TokenizerFile
{
    public static BpeTokenizer Read(string path)
    {
        try
        {
            var root = JsonNode.Parse(File.ReadAllText(path)) ?? throw new InvalidDataException("it is empty.");
            var model = Field(root, "model");
            if ((string?)model["type"] is not "BPE") throw new InvalidDataException($"model.type is '{model["type"]}'; only BPE is read.");
            if (root["normalizer"] is { } normalizer) throw new InvalidDataException($"normalizer '{normalizer["type"]}' is not supported.");
            var vocabulary = Field(model, "vocab").AsObject().ToDictionary(entry => entry.Key, entry => (int)entry.Value!, StringComparer.Ordinal);
            var merges = Field(model, "merges").AsArray().Select(Merge).ToArray();
            var added = Field(root, "added_tokens").AsArray().Select(token => new AddedToken((int)token!["id"]!, (string)token["content"]!, (bool)token["special"]!)).ToArray();
            return new BpeTokenizer(vocabulary, merges, added, Pattern(Field(root, "pre_tokenizer")));
        }
        catch (Exception error) when (error is JsonException or InvalidDataException or InvalidOperationException or NullReferenceException or FormatException or ArgumentException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"{path}: not a readable tokenizer: {Files.OneLine.Of(error.Message)}", error);
        }
    }

    public static void Write(string path, BpeTokenizer tokenizer)
    {
        var root = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. tokenizer.Added.OrderBy(token => token.Id).Select(token => (JsonNode)new JsonObject
            {
                ["id"] = token.Id, ["content"] = token.Text, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = token.Special,
            })]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = tokenizer.SplitPattern }, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false }),
            },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = new JsonObject(tokenizer.Vocabulary.OrderBy(entry => entry.Value).Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value))),
                ["merges"] = new JsonArray([.. tokenizer.Merges.Select(merge => (JsonNode)new JsonArray(merge.Left, merge.Right))]),
            },
        };
        Files.AtomicFile.Write(path, stream =>
        {
            using var writer = new Utf8JsonWriter(stream, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            root.WriteTo(writer);
        });
    }

    private static string Pattern(JsonNode node)
    {
        var sequence = (string?)node["type"] == "Sequence";
        var parts = sequence ? Field(node, "pretokenizers").AsArray().Select(part => part!).ToArray() : [node];
        string? pattern = null;
        foreach (var part in parts)
        {
            switch ((string?)part["type"])
            {
                case "Split" when (string?)part["behavior"] == "Isolated":
                    pattern = (string)Field(Field(part, "pattern"), "Regex")!;
                    break;
                case "ByteLevel":
                    if ((bool?)part["add_prefix_space"] == true) throw new InvalidDataException("pre_tokenizer ByteLevel with add_prefix_space is not supported.");
                    if ((bool?)part["use_regex"] ?? true) pattern ??= BpeTrainer.Gpt2Pattern;
                    break;
                default:
                    throw new InvalidDataException($"pre_tokenizer '{part["type"]}' is not supported.");
            }
        }

        return pattern ?? throw new InvalidDataException("pre_tokenizer splits nothing; a Split or a ByteLevel with use_regex is needed.");
    }

    private static (string, string) Merge(JsonNode? merge)
    {
        if (merge is JsonArray pair) return ((string)pair[0]!, (string)pair[1]!);
        var parts = ((string)merge!).Split(' ');
        return parts.Length == 2 ? (parts[0], parts[1]) : throw new InvalidDataException($"model.merges holds '{merge}', which is no pair.");
    }

    private static JsonNode Field(JsonNode node, string name) => node[name] ?? throw new InvalidDataException($"'{name}' is missing.");
}
