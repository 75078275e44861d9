using System.Collections.Concurrent;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Hub;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Deliberate.Training.Native;
using Microsoft.Extensions.AI;

namespace Deliberate.Pipeline.Clients;

/// <summary>A model with a chat template in a folder of this machine, opened to talk with.</summary>
/// <remarks>Holds the model's memory: dispose it. The client is thread-safe.</remarks>
public sealed class LocalChat : IDisposable
{
    /// <summary>Most new tokens of a reply when nothing else is said.</summary>
    public const int DefaultTokens = 1024;

    // A branch of a hub may move: within a process a name stands for one state of it.
    private static readonly ConcurrentDictionary<string, string> Fetched = new(StringComparer.Ordinal);

    private readonly Generator _generator;
    private readonly LocalChatClient _client;

    private LocalChat(LocalModel model, int tokens)
    {
        Model = model;
        _generator = new(model.Weights, new() { Prompts = TorchPrompts.Offer() });
        Name = $"local:{model.Path} {model.Fingerprint}{(_generator.TakesPrompts ? " prompts=bf16" : "")}";
        _client = new(_generator, model.Format, new() { ModelId = model.Fingerprint, MaxOutputTokens = tokens });
    }

    /// <summary>The model's folder with its tokenizer and format.</summary>
    public LocalModel Model { get; }

    /// <summary>Names the model, its parameters, and how it computes where that decides what it says.</summary>
    public string Name { get; }

    /// <summary>Answers; its thinking comes as reasoning content.</summary>
    public IChatClient Client => _client;

    /// <summary>What multiplies the tokens of prompts, where there was a choice: see <see cref="Generator.Prompts"/>.</summary>
    public string? Prompts => _generator.Prompts;

    /// <summary>Whether a token of its own ends the model's thoughts.</summary>
    public bool EndsByToken => _client.EndsByToken;

    /// <summary>Opens a model.</summary>
    /// <param name="name">Its folder, or <c>hf:OWNER/NAME@REVISION</c>, which is fetched where it is not in the hub's cache.</param>
    /// <param name="tokens">Most new tokens of a reply when a call does not say; null for <see cref="DefaultTokens"/>.</param>
    /// <exception cref="AlignmentException">It cannot be had or read.</exception>
    public static LocalChat Open(string name, int? tokens = null)
    {
        try
        {
            return new(LocalModel.Open(Folder(name)), tokens ?? DefaultTokens);
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new AlignmentException($"the model cannot be read: {problem.Message}", problem);
        }
    }

    /// <summary>Whether a folder holds a model of the miniature's kind, which has a format of its own and no chat template.</summary>
    /// <exception cref="AlignmentException">It cannot be had or read.</exception>
    public static bool IsMiniature(string name)
    {
        try
        {
            return TokenizerSettings.Load(Folder(name)).ChatTemplate is null;
        }
        catch (InvalidDataException problem)
        {
            throw new AlignmentException($"the model cannot be read: {problem.Message}", problem);
        }
    }

    /// <summary>The folder of a model, fetched in silence where <see cref="FetchAsync"/> was not called before.</summary>
    /// <exception cref="AlignmentException">It cannot be had.</exception>
    public static string Folder(string name) => HubReference.Is(name) && !Fetched.ContainsKey(name) ? FetchAsync(name).GetAwaiter().GetResult() : Fetched.GetValueOrDefault(name, name);

    /// <summary>The folder of a model; one of a hub is fetched where it is not in the hub's cache.</summary>
    /// <param name="name">Its folder, or <c>hf:OWNER/NAME@REVISION</c>.</param>
    /// <param name="progress">Hears of every piece that arrives.</param>
    /// <param name="note">Hears in a line of what is done otherwise than asked.</param>
    /// <param name="cancel">Stops it; what has arrived is kept.</param>
    /// <exception cref="AlignmentException">It cannot be had.</exception>
    public static async Task<string> FetchAsync(string name, IProgress<HubProgress>? progress = null, Action<string>? note = null, CancellationToken cancel = default)
    {
        if (!HubReference.Is(name)) return name;
        if (Fetched.TryGetValue(name, out var folder)) return folder;
        try
        {
            return Fetched.GetOrAdd(name, await HubDownload.GetAsync(HubReference.Parse(name), HubOptions.FromEnvironment(note), progress, cancel).ConfigureAwait(false));
        }
        catch (Exception problem) when (problem is HubException or FormatException)
        {
            throw new AlignmentException(problem.Message, problem);
        }
    }

    /// <summary>The parameters as they are stored.</summary>
    public ModelWeights Weights => Model.Weights;

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _generator.Dispose();
        Model.Dispose();
    }
}
