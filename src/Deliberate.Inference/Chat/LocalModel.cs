using Deliberate.Conversations;
using Deliberate.Inference.Models;
using Deliberate.Inference.Templates;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Inference.Chat;

/// <summary>
/// A model's folder in Hugging Face's layout, ready to talk with: weights (mapped as they are stored), tokenizer and chat format. The shipped miniature,
/// which has no template, has its own format.
/// </summary>
/// <remarks>Thread-safe. Weights it gave must not be read after it is disposed.</remarks>
public sealed class LocalModel : IDisposable
{
    private readonly StoredModel _stored;

    private LocalModel(StoredModel stored, Tokenizer tokenizer, IPromptFormat format, string fingerprint) =>
        (_stored, Tokenizer, Format, Fingerprint, Weights) = (stored, tokenizer, format, fingerprint, stored.Weights());

    /// <summary>The folder.</summary>
    public string Path => _stored.Path;

    /// <summary>The shape of the model.</summary>
    public ModelConfig Config => _stored.Config;

    /// <summary>The parameters.</summary>
    public ModelWeights Weights { get; }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>How conversations become tokens.</summary>
    public IPromptFormat Format { get; }

    /// <summary>Names the parameters and what stands beside them.</summary>
    public string Fingerprint { get; }

    /// <summary>Whether it is a model of the miniature's kind.</summary>
    public bool IsMiniature => Format is ChatFormat;

    /// <summary>Whether the format has a place for thoughts: other models are told how to mark theirs.</summary>
    public bool Thinks { get; private init; } = true;

    /// <summary>Opens a folder.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or the files do not fit.</exception>
    public static LocalModel Open(string path)
    {
        var stored = StoredModel.Open(path);
        try
        {
            var file = System.IO.Path.Combine(path, "tokenizer.json");
            if (!File.Exists(file)) throw new FileNotFoundException($"{path}: the model folder has no tokenizer.json.", "tokenizer.json");
            var settings = TokenizerSettings.Load(path);
            if (settings.ChatTemplate is not { } text) return OfTheMiniature(stored, file);
            var tokenizer = Tokenizer.Load(file);
            if (tokenizer.VocabSize > stored.Config.VocabSize) throw new InvalidDataException($"{path}: tokenizer.json has {tokenizer.VocabSize} tokens, config.json allows {stored.Config.VocabSize}.");
            var template = Template(text, path);
            return new(stored, tokenizer, new TemplateFormat(tokenizer, template, settings.SpecialTokens, Stops(stored, tokenizer, settings)), stored.Fingerprint)
            {
                Thinks = ThoughtTag.OfTemplate(text) is not null || text.Contains("<|channel|>", StringComparison.Ordinal),
            };
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stored.Dispose();

    private static LocalModel OfTheMiniature(StoredModel stored, string file)
    {
        var tokenizer = Tokenizer.Load(file);
        if (!ChatFormat.Marks.All(mark => tokenizer.FindToken(mark) is not null))
            throw new InvalidDataException($"{stored.Path}: the model has no chat template: put chat_template.jinja into the folder, or use a model that was tuned to chat.");
        return new(stored, tokenizer, new ChatFormat(BpeTokenizer.Load(file)), stored.Fingerprint);
    }

    private static ChatTemplate Template(string text, string path)
    {
        try
        {
            return ChatTemplate.Parse(text, System.IO.Path.Combine(path, "chat template"));
        }
        catch (TemplateException problem)
        {
            throw new InvalidDataException(problem.Message, problem);
        }
    }

    private static int[] Stops(StoredModel stored, Tokenizer tokenizer, TokenizerSettings settings)
    {
        var stops = stored.StopTokens.ToHashSet();
        if (settings.EosToken is { } name && tokenizer.FindToken(name) is { } eos) stops.Add(eos);
        return stops.Count > 0 ? [.. stops.Order()] : throw new InvalidDataException($"{stored.Path}: nothing says which token ends a text: put eos_token_id into generation_config.json.");
    }
}
