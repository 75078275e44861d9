using Deliberate.Endpoints.Chat;
using Deliberate.Endpoints.Flow;

namespace Deliberate.Endpoints.Models;

/// <summary>
/// The file <c>deliberate.yaml</c>, which names models: <c>models:</c> with an entry each for <c>base</c>, <c>judge</c>, <c>grader</c>, or any other
/// name. An entry is a model's name, or a map with <c>model:</c> and settings. Keys are never in it. Immutable.
/// </summary>
public sealed class ModelFile
{
    /// <summary>The file's usual name.</summary>
    public const string FileName = "deliberate.yaml";

    private static readonly string[] Apis = ["chat", "responses"];
    private static readonly string[] Formats = ["paper", "safeguard", "miniature"];
    private static readonly string[] Servers = ["compatible", "openai", "vllm", "sglang", "llamacpp"];

    private ModelFile(IReadOnlyDictionary<string, ModelSettings> models) => Models = models;

    /// <summary>The models by their names in the file.</summary>
    public IReadOnlyDictionary<string, ModelSettings> Models { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelSettingsException">It cannot be read, or something in it cannot be used; the message names file, line and field.</exception>
    public static ModelFile Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            if (new FileInfo(path).Length > YamlNode.MostBytes) throw new ModelSettingsException($"the file is longer than {YamlNode.MostBytes} bytes", path);
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelSettingsException($"the file cannot be read: {e.Message}", path, inner: e);
        }
    }

    /// <summary>Reads a text.</summary>
    /// <param name="text">The text, in YAML.</param>
    /// <param name="file">What messages call it.</param>
    /// <exception cref="ModelSettingsException">Something in it cannot be used; the message names file, line and field.</exception>
    public static ModelFile Parse(string text, string file = FileName)
    {
        ArgumentNullException.ThrowIfNull(text);
        var root = YamlNode.Parse(text, file).Fields("models");
        var models = new Dictionary<string, ModelSettings>(StringComparer.Ordinal);
        foreach (var (name, entry) in root.Required("models").Entries()) models.Add(name, Settings(entry));
        return new(models);
    }

    private static ModelSettings Settings(YamlNode entry)
    {
        if (entry.IsText) return new() { Name = Name(entry) };
        entry.Fields(
            "model", "api", "server", "key_env", "reasoning_effort", "enable_thinking", "thinking_opened", "format", "extra_body", "concurrency", "requests_per_minute", "tokens_per_minute",
            "timeout_seconds", "retries", "max_output_tokens", "price", "budget");
        var name = Name(entry.Required("model"));
        if (name.Kind is ModelKind.Miniature or ModelKind.Local && entry.Entries().FirstOrDefault(field => field.Name != "model") is { Node: { } node, Name: var other })
            throw node.Problem($"{other} is for models behind an endpoint, and {name} is none: leave it out");
        var defaults = new FlowControlOptions();
        return new()
        {
            Name = name,
            Api = (EndpointApi)(entry.Optional("api")?.OneOf(Apis) ?? 0),
            Server = (ServerKind?)entry.Optional("server")?.OneOf(Servers),
            KeyVariable = entry.Optional("key_env")?.EnvironmentVariable(),
            ReasoningEffort = entry.Optional("reasoning_effort")?.Text(),
            EnableThinking = entry.Optional("enable_thinking")?.Flag(),
            ThinkingOpened = entry.Optional("thinking_opened")?.Flag(),
            Format = entry.Optional("format") is { } format ? Formats[format.OneOf(Formats)] : null,
            ExtraBody = entry.Optional("extra_body")?.Object(),
            Flow = defaults with
            {
                MaxConcurrency = (int?)entry.Optional("concurrency")?.Whole(1, 4096) ?? defaults.MaxConcurrency,
                RequestsPerMinute = (int?)entry.Optional("requests_per_minute")?.Whole(1, int.MaxValue),
                TokensPerMinute = entry.Optional("tokens_per_minute")?.Whole(1, long.MaxValue),
                CallTimeout = entry.Optional("timeout_seconds")?.Whole(1, 86_400) is { } seconds ? TimeSpan.FromSeconds(seconds) : defaults.CallTimeout,
                MaxRetries = (int?)entry.Optional("retries")?.Whole(0, 100) ?? defaults.MaxRetries,
                DefaultOutputTokens = (int?)entry.Optional("max_output_tokens")?.Whole(1, int.MaxValue) ?? defaults.DefaultOutputTokens,
                Prices = Prices(entry.Optional("price"), name.Model),
                MaxTokens = entry.Optional("budget")?.Fields("tokens", "money").Optional("tokens")?.Whole(0, long.MaxValue),
                MaxCost = Money(entry),
            },
        };
    }

    private static ModelName Name(YamlNode node) => ModelName.TryParse(node.Text(), out var name, out var problem) ? name : throw node.Problem(problem);

    private static PriceTable? Prices(YamlNode? node, string? model)
    {
        if (node is null) return null;
        node.Fields("input", "output", "cached_input", "currency");
        var price = new ModelPrice(node.Required("input").Amount(), node.Required("output").Amount(), node.Optional("cached_input")?.Amount());
        return new(new Dictionary<string, ModelPrice> { [model!] = price }, node.Optional("currency")?.Text() ?? "USD");
    }

    private static decimal? Money(YamlNode entry)
    {
        var money = entry.Optional("budget")?.Optional("money");
        return money is null || entry.Optional("price") is not null ? money?.Amount() : throw money.Problem("a budget in money needs a price: add price with input and output, for a million tokens");
    }
}
