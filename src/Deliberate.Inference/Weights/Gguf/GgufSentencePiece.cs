using System.Text.Json.Nodes;

namespace Deliberate.Inference.Weights.Gguf;

/// <summary>
/// SentencePiece's BPE in a GGUF file's metadata (Llama 2, Mistral, Gemma), as <c>tokenizer.json</c>. The metadata hold tokens with scores
/// instead of merges: two neighbours merge where they make a token, the best score first. So every split of a token in two is a merge.
/// </summary>
internal static class GgufSentencePiece
{
    // All splits of all tokens are tried.
    private const int MaxTokens = 1 << 20;
    private const int MaxLength = 128;

    private const string Space = "\u2581";

    public static JsonObject Read(GgufFile file)
    {
        var (vocabulary, added, kinds) = GgufTokenizer.Tokens(file);
        var tokens = GgufTokenizer.List<string>(file, "tokens");
        var unknown = Array.IndexOf(kinds, GgufTokenizer.Unknown) is >= 0 and var id ? tokens[id] : null;
        // Gemma's writer alone turns the leading space off.
        var isPrefixed = file.Metadata.GetValueOrDefault("tokenizer.ggml.add_space_prefix") is not false;
        JsonObject Replace(string from, string to) => new() { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = from }, ["content"] = to };
        JsonObject Plain(string type) => new() { ["type"] = type };
        JsonArray decoders = [Replace(Space, " "), Plain("ByteFallback"), Plain("Fuse")];
        if (isPrefixed) decoders.Add(new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
        return new()
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = added,
            ["normalizer"] = isPrefixed ? new JsonObject { ["type"] = "Sequence", ["normalizers"] = new JsonArray(new JsonObject { ["type"] = "Prepend", ["prepend"] = Space }, Replace(" ", Space)) } : Replace(" ", Space),
            ["pre_tokenizer"] = isPrefixed ? null : new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["String"] = " " }, ["behavior"] = "MergedWithPrevious", ["invert"] = false },
            ["post_processor"] = Start(file, tokens),
            ["decoder"] = new JsonObject { ["type"] = "Sequence", ["decoders"] = decoders },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = unknown,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = true,
                ["byte_fallback"] = true,
                ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = Merges(file, tokens, kinds),
            },
        };
    }

    private static JsonArray Merges(GgufFile file, string[] tokens, int[] kinds)
    {
        var scores = GgufTokenizer.List<float>(file, "scores");
        if (scores.Length != tokens.Length) throw file.Error($"metadata 'tokenizer.ggml.scores' has {scores.Length} entries for {tokens.Length} tokens.");
        if (tokens.Length > MaxTokens) throw file.Error($"metadata 'tokenizer.ggml.tokens' has {tokens.Length} entries; at most {MaxTokens} are converted.");
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
            if (kinds[id] is GgufTokenizer.Normal or GgufTokenizer.UserDefined) ids[tokens[id]] = id;
        var find = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var merges = new List<(float Score, int Left, int Right)>();
        foreach (var (token, id) in ids)
        {
            if (token.Length > MaxLength) throw file.Error($"token {id} of 'tokenizer.ggml.tokens' has {token.Length} characters; at most {MaxLength} are converted.");
            // What a user defined goes before all that was learned.
            var score = kinds[id] == GgufTokenizer.UserDefined ? float.PositiveInfinity : scores[id];
            for (var i = 1; i < token.Length; i++)
                if (find.TryGetValue(token.AsSpan(0, i), out var left) && find.TryGetValue(token.AsSpan(i), out var right)) merges.Add((score, left, right));
        }

        return new([.. merges.OrderByDescending(merge => merge.Score).ThenByDescending(merge => tokens[merge.Left].Length).ThenByDescending(merge => tokens[merge.Right].Length)
            .Select(merge => (JsonNode)new JsonArray(tokens[merge.Left], tokens[merge.Right]))]);
    }

    // The token that starts a text, unless the file says that there is none.
    private static JsonObject? Start(GgufFile file, string[] tokens)
    {
        if (file.Metadata.GetValueOrDefault("tokenizer.ggml.add_bos_token") is false || file.Metadata.GetValueOrDefault("tokenizer.ggml.bos_token_id") is not uint id || id >= tokens.Length) return null;
        JsonObject Special(int type) => new() { ["SpecialToken"] = new JsonObject { ["id"] = tokens[id], ["type_id"] = type } };
        JsonObject Text(string name, int type) => new() { ["Sequence"] = new JsonObject { ["id"] = name, ["type_id"] = type } };
        return new()
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(Special(0), Text("A", 0)),
            ["pair"] = new JsonArray(Special(0), Text("A", 0), Special(1), Text("B", 1)),
            ["special_tokens"] = new JsonObject { [tokens[id]] = new JsonObject { ["id"] = tokens[id], ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(tokens[id]) } },
        };
    }
}
