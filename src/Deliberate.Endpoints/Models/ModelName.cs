using System.Diagnostics.CodeAnalysis;

namespace Deliberate.Endpoints.Models;

/// <summary>Where a model is.</summary>
public enum ModelKind
{
    /// <summary>The model that ships with the toolkit.</summary>
    Miniature,

    /// <summary>Behind an OpenAI-compatible endpoint.</summary>
    OpenAI,

    /// <summary>Behind an Ollama server.</summary>
    Ollama,

    /// <summary>In a folder of this machine.</summary>
    Local,
}

/// <summary>
/// The name of a model as users write it: <c>miniature</c>, <c>openai:MODEL@URL</c> (without <c>@URL</c> OpenAI's own server),
/// <c>ollama:MODEL[@URL]</c>, <c>local:PATH</c> or <c>hf:OWNER/NAME[@REVISION]</c>. Immutable.
/// </summary>
/// <param name="Kind">Where the model is.</param>
/// <param name="Model">The model's name at its server; null unless it is behind an endpoint.</param>
/// <param name="Address">The server's address, of an OpenAI-compatible one with its <c>/v1</c>; null unless it is behind an endpoint.</param>
/// <param name="Path">The folder, or <c>hf:OWNER/NAME@REVISION</c> of one that is fetched; null unless it is local.</param>
public sealed record ModelName(ModelKind Kind, string? Model = null, Uri? Address = null, string? Path = null)
{
    private const string Forms = "write miniature, openai:MODEL@URL, ollama:MODEL[@URL], local:PATH or hf:OWNER/NAME";

    /// <summary>The address of OpenAI's own server.</summary>
    public static Uri OpenAIAddress { get; } = new("https://api.openai.com/v1");

    /// <summary>Where an Ollama server listens if it is not told otherwise.</summary>
    public static Uri OllamaAddress { get; } = new("http://127.0.0.1:11434");

    /// <summary>Reads a name.</summary>
    /// <exception cref="ModelSettingsException">It is none; the message says what is wrong, in one line.</exception>
    public static ModelName Parse(string text) => TryParse(text, out var name, out var problem) ? name : throw new ModelSettingsException(problem);

    /// <summary>Reads a name; never throws.</summary>
    /// <param name="text">The name.</param>
    /// <param name="name">The name when it is one.</param>
    /// <param name="problem">What is wrong and how to mend it, when it is none.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ModelName? name, [NotNullWhen(false)] out string? problem)
    {
        (name, problem) = Read(text?.Trim() ?? "");
        return name is not null;
    }

    /// <summary>The name as users write it; <see cref="Parse"/> reads it again.</summary>
    public override string ToString() => Kind switch
    {
        ModelKind.OpenAI => $"openai:{Model}@{Address?.AbsoluteUri}",
        ModelKind.Ollama => $"ollama:{Model}@{Address?.AbsoluteUri}",
        ModelKind.Local => Path!.StartsWith("hf:", StringComparison.Ordinal) ? Path : $"local:{Path}",
        _ => "miniature",
    };

    private static (ModelName?, string?) Read(string text)
    {
        if (text.Length == 0) return (null, $"The model's name is empty: {Forms}.");
        if (text.Any(char.IsControl)) return (null, $"The model's name has a line break or another control character: {Forms}.");
        if (text == "miniature") return (new(ModelKind.Miniature), null);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var rest = text[(colon + 1)..].Trim();
        return (colon < 0 ? "" : text[..colon]) switch
        {
            "openai" => Endpoint(ModelKind.OpenAI, rest, OpenAIAddress),
            "ollama" => Endpoint(ModelKind.Ollama, rest, OllamaAddress),
            "local" when rest.Length == 0 => (null, "The model 'local:' names no folder: write local:PATH."),
            "local" => (new(ModelKind.Local, Path: rest), null),
            "hf" when rest.Split('@')[0].Split('/') is not [{ Length: > 0 }, { Length: > 0 }] => (null, $"'{Shown(text)}' names no model of a hub: write hf:OWNER/NAME or hf:OWNER/NAME@REVISION."),
            "hf" => (new(ModelKind.Local, Path: text), null),
            "miniature" => (null, "The miniature takes nothing after its name: write miniature."),
            _ => (null, $"'{Shown(text)}' names no model: {Forms}."),
        };
    }

    private static (ModelName?, string?) Endpoint(ModelKind kind, string rest, Uri preset)
    {
        var form = kind == ModelKind.OpenAI ? "openai:MODEL@URL, as in openai:Qwen/Qwen3-8B@http://127.0.0.1:8000/v1" : "ollama:MODEL@URL, as in ollama:qwen3@http://127.0.0.1:11434";
        // A model's own name may have an @ too; the address begins after the last one that an address can follow. Signs after that belong to the address.
        var scheme = rest.LastIndexOf("://", StringComparison.Ordinal);
        var at = rest.LastIndexOf('@', scheme < 0 ? Math.Max(rest.Length - 1, 0) : scheme);
        var model = (at < 0 ? rest : rest[..at]).Trim();
        if (model.Length == 0) return (null, $"The model's name at the server is missing: write {form}.");
        if (at < 0) return scheme < 0 ? (new(kind, model, preset), null) : (null, $"The address follows the model's name and an @: write {form}.");
        var written = rest[(at + 1)..].Trim();
        if (!Uri.TryCreate(written, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.Host.Length == 0)
            return (null, $"What follows the @ is no http or https address: write {form}.");
        // Neither is repeated in the message: both are places where people put keys.
        if (address.UserInfo.Length > 0) return (null, $"The address has a user name or password: leave it out and put the key into the environment variable {ApiKey.DefaultVariable}.");
        if (address.Query.Length > 0 || address.Fragment.Length > 0) return (null, $"The address has a '?' or '#' part: leave it out; a key goes into the environment variable {ApiKey.DefaultVariable}.");
        return (new(kind, model, new(address.GetLeftPart(UriPartial.Path).TrimEnd('/'))), null);
    }

    private static string Shown(string text) => text.Length <= 80 ? text : text[..77] + "...";
}
