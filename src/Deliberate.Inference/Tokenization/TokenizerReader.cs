using System.Text.Json;

namespace Deliberate.Inference.Tokenization;

/// <summary>Reads <c>tokenizer.json</c> as the <c>tokenizers</c> library (0.23) understands it. What is not understood is refused by name, never skipped.</summary>
internal static class TokenizerReader
{
    private const int MaxVocabulary = 10_000_000, LongestAdded = 4096;
    private const long LargestFile = 512L << 20;

    /// <exception cref="InvalidDataException">The file is malformed, or asks for what is not supported.</exception>
    public static Tokenizer Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LargestFile) throw new InvalidDataException($"it is larger than {LargestFile >> 20} MiB.");
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new() { AllowDuplicateProperties = false });
            return Read(Section.Of(document.RootElement, ""));
        }
        catch (Exception error) when (error is JsonException or InvalidDataException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path}: not a readable tokenizer: {Files.OneLine.Of(error.Message)}", error);
        }
    }

    private static ModelTokenizer Read(Section file)
    {
        file.Only("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        if (file.FindText("version") is { } version && version != "1.0") throw new InvalidDataException($"version is '{version}'; 1.0 is read.");
        if (file.Find("truncation") is not null) throw new InvalidDataException("truncation cuts texts, which is not supported; set it to null.");
        CheckPadding(file.FindObject("padding"));

        var model = file.Object("model");
        var vocabulary = Vocabulary(model);
        var added = AddedTokens(file, vocabulary);
        var preTokenizers = new List<PreTokenizer>();
        if (file.FindObject("pre_tokenizer") is { } preTokenizer) TokenizerParts.AddPreTokenizers(preTokenizer, preTokenizers);
        // Mapping to bytes is cheaper after a look into the cache of words.
        var byteLevel = preTokenizers is [.., ByteMapper];
        if (byteLevel) preTokenizers.RemoveAt(preTokenizers.Count - 1);
        return new(
            vocabulary,
            added,
            file.FindObject("normalizer") is { } normalizer ? TokenizerParts.Normalizer(normalizer) : null,
            preTokenizers,
            Model(model, vocabulary, added, byteLevel),
            file.FindObject("post_processor") is { } processor ? TokenizerParts.PostProcessor(processor) : ([], []),
            file.FindObject("decoder") is { } decoder ? TokenizerParts.Decoder(decoder) : next => new SpacedStage(next));
    }

    private static void CheckPadding(Section? padding)
    {
        if (padding is not { } section) return;
        section.Only("strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token");
        if (section.Find("strategy") is not { ValueKind: JsonValueKind.String } strategy || strategy.GetString() != "BatchLongest") throw new InvalidDataException("padding.strategy pads single texts, which is not supported; set padding to null.");
        if (section.Find("pad_to_multiple_of") is not null) throw new InvalidDataException("padding.pad_to_multiple_of pads single texts, which is not supported; set padding to null.");
    }

    private static Dictionary<string, int> Vocabulary(Section model)
    {
        var type = model.FindText("type") ?? "BPE";
        if (type != "BPE") throw new InvalidDataException($"model.type is '{type}'; only BPE is supported.");
        model.Only("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges");
        if (model.Find("dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.TryGetDouble(out var share) && share == 0)) throw new InvalidDataException("model.dropout makes encoding random, which is not supported; set it to null.");
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in model.Object("vocab").Element.EnumerateObject())
            vocabulary.Add(entry.Name, entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out var id) && id is >= 0 and < MaxVocabulary ? id : throw new InvalidDataException($"model.vocab gives '{entry.Name}' no id of 0 to {MaxVocabulary - 1}."));
        return vocabulary;
    }

    private static BpeModel Model(Section model, Dictionary<string, int> vocabulary, IReadOnlyList<AddedToken> added, bool byteLevel)
    {
        var merges = new List<(string, string)>();
        foreach (var (merge, place) in model.Array("merges"))
        {
            if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2) merges.Add((Section.AsText(merge[0], place), Section.AsText(merge[1], place)));
            else if (merge.ValueKind == JsonValueKind.String)
            {
                var text = merge.GetString()!;
                if (text.StartsWith("#version", StringComparison.Ordinal)) continue;
                merges.Add(text.Split(' ') is [var left, var right] ? (left, right) : throw new InvalidDataException($"{place} is '{text}', which is no pair."));
            }
            else throw new InvalidDataException($"{place} is no pair.");
        }

        var options = new BpeOptions
        {
            UnknownToken = model.FindText("unk_token"),
            Prefix = model.FindText("continuing_subword_prefix") ?? "",
            Suffix = model.FindText("end_of_word_suffix") ?? "",
            FuseUnknown = model.Flag("fuse_unk", false),
            ByteFallback = model.Flag("byte_fallback", false),
            IgnoreMerges = model.Flag("ignore_merges", false),
            ByteLevel = byteLevel,
        };
        return new(vocabulary, merges, options, added.Where(token => token.Control).Select(token => token.Id).ToHashSet());
    }

    // A token that the vocabulary holds has its id there, as in the library. Others keep the id of the file, which is what
    // models are trained with; the library counts on from the vocabulary, with the same result in files it wrote itself.
    private static List<AddedToken> AddedTokens(Section file, Dictionary<string, int> vocabulary)
    {
        var tokens = new Dictionary<int, AddedToken>();
        if (file.Find("added_tokens") is null) return [];
        foreach (var section in file.Objects("added_tokens"))
        {
            section.Only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
            var (text, id) = (section.Text("content"), section.Number("id"));
            if (text.Length is 0 or > LongestAdded) throw new InvalidDataException($"{section.Path("content")} has {text.Length} characters; 1 to {LongestAdded} are read.");
            if (id is < 0 or >= MaxVocabulary) throw new InvalidDataException($"{section.Path("id")} is {id}; ids are 0 to {MaxVocabulary - 1}.");
            if (vocabulary.TryGetValue(text, out var known)) id = known;
            var token = new AddedToken(id, text, section.Flag("special"))
            {
                SingleWord = section.Flag("single_word"),
                LeftStrip = section.Flag("lstrip"),
                RightStrip = section.Flag("rstrip"),
                Normalized = section.Flag("normalized"),
            };
            if (tokens.TryGetValue(id, out var other) && other.Text != text) throw new InvalidDataException($"{section.Place} gives '{text}' the id {id}, which '{other.Text}' has.");
            tokens[id] = token;
        }

        if (tokens.Values.GroupBy(token => token.Text, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice) throw new InvalidDataException($"added_tokens gives '{twice.Key}' two ids.");
        return [.. tokens.Values.OrderBy(token => token.Id)];
    }
}
