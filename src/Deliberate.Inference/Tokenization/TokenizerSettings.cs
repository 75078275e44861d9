using System.Text.Json;

namespace Deliberate.Inference.Tokenization;

/// <summary>
/// What a model's folder says about its tokens beside <c>tokenizer.json</c>: <c>tokenizer_config.json</c>, with
/// <c>special_tokens_map.json</c> for what that leaves out, and <c>chat_template.jinja</c>, which wins over a template in the configuration.
/// </summary>
public sealed record TokenizerSettings
{
    /// <summary>Text of the token that begins a sequence; null where there is none.</summary>
    public string? BosToken { get; init; }

    /// <summary>Text of the token that ends a sequence or a turn.</summary>
    public string? EosToken { get; init; }

    /// <summary>Text of the token that fills up.</summary>
    public string? PadToken { get; init; }

    /// <summary>Text of the token for what the vocabulary lacks.</summary>
    public string? UnkToken { get; init; }

    /// <summary>Whether the configuration asks for a token before each text; null where it says nothing and <c>tokenizer.json</c> decides.</summary>
    public bool? AddBosToken { get; init; }

    /// <summary>The chat template, that named <c>default</c> where there are several; null where there is none.</summary>
    public string? ChatTemplate => ChatTemplates.GetValueOrDefault("default");

    /// <summary>Chat templates by name; a single one is named <c>default</c>.</summary>
    public IReadOnlyDictionary<string, string> ChatTemplates { get; init; } = new Dictionary<string, string>();

    /// <summary>The tokens that templates may name: <c>bos_token</c>, <c>eos_token</c>, <c>pad_token</c>, <c>unk_token</c>, where the model has them.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens =>
        new[] { ("bos_token", BosToken), ("eos_token", EosToken), ("pad_token", PadToken), ("unk_token", UnkToken) }.Where(pair => pair.Item2 is not null).ToDictionary(pair => pair.Item1, pair => pair.Item2!);

    /// <summary>Reads the settings of a model's folder; files that are absent say nothing.</summary>
    /// <exception cref="InvalidDataException">A file is malformed. One line names file and field.</exception>
    public static TokenizerSettings Load(string folder)
    {
        var settings = Read(Path.Combine(folder, "tokenizer_config.json"), Of) ?? new();
        if (Read(Path.Combine(folder, "special_tokens_map.json"), Of) is { } map)
            settings = settings with
            {
                BosToken = settings.BosToken ?? map.BosToken,
                EosToken = settings.EosToken ?? map.EosToken,
                PadToken = settings.PadToken ?? map.PadToken,
                UnkToken = settings.UnkToken ?? map.UnkToken,
            };
        var template = Path.Combine(folder, "chat_template.jinja");
        return File.Exists(template) ? settings with { ChatTemplates = new Dictionary<string, string>(settings.ChatTemplates) { ["default"] = File.ReadAllText(template) } } : settings;
    }

    private static TokenizerSettings? Read(string path, Func<Section, TokenizerSettings> read)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new() { AllowDuplicateProperties = false });
            return read(Section.Of(document.RootElement, ""));
        }
        catch (Exception error) when (error is JsonException or InvalidDataException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path}: {Files.OneLine.Of(error.Message)}", error);
        }
    }

    private static TokenizerSettings Of(Section file) => new()
    {
        BosToken = Token(file, "bos_token"),
        EosToken = Token(file, "eos_token"),
        PadToken = Token(file, "pad_token"),
        UnkToken = Token(file, "unk_token"),
        AddBosToken = file.Find("add_bos_token") is null ? null : file.Flag("add_bos_token"),
        ChatTemplates = Templates(file),
    };

    // A token is its text, or an added token with flags.
    private static string? Token(Section file, string name) => file.Find(name) switch
    {
        { ValueKind: JsonValueKind.Object } => file.Object(name).Text("content"),
        _ => file.FindText(name),
    };

    private static Dictionary<string, string> Templates(Section file)
    {
        if (file.Find("chat_template") is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) return new() { ["default"] = file.Text("chat_template") };
        var templates = new Dictionary<string, string>();
        foreach (var entry in file.Objects("chat_template"))
            if (!templates.TryAdd(entry.Text("name"), entry.Text("template"))) throw new InvalidDataException($"{entry.Path("name")} '{entry.Text("name")}' stands twice.");
        return templates;
    }
}
