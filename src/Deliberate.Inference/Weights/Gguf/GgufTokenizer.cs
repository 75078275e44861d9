using System.Text.Json.Nodes;

namespace Deliberate.Inference.Weights.Gguf;

/// <summary>The tokenizer in a GGUF file's metadata, as <c>tokenizer.json</c>; byte-level BPE here, SentencePiece in <see cref="GgufSentencePiece"/>.</summary>
internal static class GgufTokenizer
{
    public const int Normal = 1;
    public const int Unknown = 2;
    public const int Control = 3;
    public const int UserDefined = 4;
    private const int Unused = 5;

    private const string Contractions = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)";

    /// <summary>The tokenizer; null where the file has none.</summary>
    /// <exception cref="InvalidDataException">It is of a kind that is not converted.</exception>
    public static JsonObject? Read(GgufFile file)
    {
        if (!file.Metadata.TryGetValue("tokenizer.ggml.model", out var model)) return null;
        const string Fix = "put the model's tokenizer.json beside the file";
        if (model is "llama") return GgufSentencePiece.Read(file);
        if (model is not "gpt2") throw file.Error($"the tokenizer is of model '{model}'; byte-level BPE ('gpt2') and SentencePiece's BPE ('llama') are converted: {Fix}.");
        var split = file.Metadata.GetValueOrDefault("tokenizer.ggml.pre") as string;
        var (normalizer, pretokenizer, ignoreMerges) = split switch
        {
            "gpt-2" => (null, ByteLevel(true), false),
            "smollm" => (null, Sequence(new() { ["type"] = "Digits", ["individual_digits"] = true }, ByteLevel(true)), false),
            "llama-bpe" => (null, Sequence(Split(3), ByteLevel(false)), true),
            "qwen2" => (new JsonObject { ["type"] = "NFC" }, Sequence(Split(1), ByteLevel(false)), false),
            _ => throw file.Error($"metadata 'tokenizer.ggml.pre' is '{split}'; gpt-2, smollm, llama-bpe and qwen2 are known: {Fix}."),
        };
        var (vocabulary, added, _) = Tokens(file);
        return new()
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = added,
            ["normalizer"] = normalizer,
            ["pre_tokenizer"] = pretokenizer,
            ["post_processor"] = null,
            ["decoder"] = ByteLevel(true, prefix: true),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = ignoreMerges,
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. List<string>(file, "merges").Select((merge, rank) => Merge(file, merge, rank))]),
            },
        };
    }

    /// <summary>Ids by token, the tokens that are matched before all others, and the kind of each token.</summary>
    public static (JsonObject Vocabulary, JsonArray Added, int[] Kinds) Tokens(GgufFile file)
    {
        var tokens = List<string>(file, "tokens");
        var kinds = List<int>(file, "token_type");
        if (kinds.Length != tokens.Length) throw file.Error($"metadata 'tokenizer.ggml.token_type' has {kinds.Length} entries for {tokens.Length} tokens.");
        var vocabulary = new JsonObject();
        var added = new JsonArray();
        for (var id = 0; id < tokens.Length; id++)
        {
            if (kinds[id] == Unused) continue;
            if (!vocabulary.TryAdd(tokens[id], id)) throw file.Error($"token {id} of 'tokenizer.ggml.tokens' occurs twice.");
            if (kinds[id] is Unknown or Control or UserDefined)
                added.Add(new JsonObject { ["id"] = id, ["content"] = tokens[id], ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = kinds[id] != UserDefined });
        }

        return (vocabulary, added, kinds);
    }

    private static JsonArray Merge(GgufFile file, string merge, int rank) => merge.Split(' ') is [{ Length: > 0 } left, { Length: > 0 } right] ? new(left, right)
        : throw file.Error($"entry {rank} of 'tokenizer.ggml.merges' is not two tokens with a space between them.");

    public static T[] List<T>(GgufFile file, string name) => file.Metadata.GetValueOrDefault($"tokenizer.ggml.{name}") as T[]
        ?? throw file.Error($"metadata 'tokenizer.ggml.{name}' is missing or of another type.");

    private static JsonObject Sequence(params JsonObject[] steps) => new() { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray([.. steps]) };

    private static JsonObject ByteLevel(bool regex, bool prefix = false) => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = prefix, ["trim_offsets"] = true, ["use_regex"] = regex };

    // Llama 3's and Qwen2's patterns differ in how many digits stay together.
    private static JsonObject Split(int digits) => new()
    {
        ["type"] = "Split",
        ["pattern"] = new JsonObject { ["Regex"] = Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + (digits == 1 ? "" : "{1,3}") + @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+" },
        ["behavior"] = "Isolated",
        ["invert"] = false,
    };
}
