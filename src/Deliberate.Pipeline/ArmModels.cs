using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.World;
using Deliberate.Pipeline.Clients;
using Deliberate.Policies;
using Deliberate.Runs;
using Microsoft.Extensions.AI;

namespace Deliberate.Pipeline;

/// <summary>A model to talk to.</summary>
/// <remarks>Holds the model's memory: dispose it. The client is thread-safe.</remarks>
public sealed class LocalArm : IDisposable
{
    private readonly IReadOnlyList<IDisposable> _owned;

    internal LocalArm(LocalChat chat, string name, IReadOnlyList<ChatMessage> systemMessages) =>
        (Name, Client, SystemMessages, EndsByToken, Prompts, _owned) = (name, chat.Client, systemMessages, chat.EndsByToken, chat.Prompts, [chat]);

    internal LocalArm(string name, ModelFolder model, bool thinking, IReadOnlyList<ChatMessage> systemMessages)
    {
        (Name, SystemMessages) = (name, systemMessages);
        var generator = new Generator(model.Weights);
        var client = new LocalChatClient(generator, new ChatFormat(model.Tokenizer), new() { ModelId = model.Fingerprint, Thinking = thinking, MaxOutputTokens = Limits.CompletionTokens });
        (Client, EndsByToken, _owned) = (client, client.EndsByToken, [client, generator]);
    }

    /// <summary>Name of the arm, or path of the model.</summary>
    public string Name { get; }

    /// <summary>Answers; its thinking comes as reasoning content.</summary>
    public IChatClient Client { get; }

    /// <summary>Whether a token of its own ends the model's thoughts, see <see cref="LocalChatClient.EndsByToken"/>.</summary>
    public bool EndsByToken { get; }

    /// <summary>What multiplies the tokens of prompts, where there was a choice: see <see cref="Generator.Prompts"/>.</summary>
    public string? Prompts { get; }

    /// <summary>The folder of the run's policy; null for a model that is of no run.</summary>
    public string? PolicyFolder { get; init; }

    /// <summary>The hash that the policy had when the run was started; null for a model that is of no run.</summary>
    public string? PolicyHash { get; init; }

    /// <summary>What stands before the conversation: the policy for the arm that is told it, else nothing.</summary>
    public IReadOnlyList<ChatMessage> SystemMessages { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
    }
}

/// <summary>Opens the models of a run, and others.</summary>
public static class ArmModels
{
    /// <summary>Opens an arm of a run. The two arms that are the base model are opened from where the run found it.</summary>
    /// <param name="runFolder">The run's folder.</param>
    /// <param name="arm">One of <see cref="Arms.All"/>.</param>
    /// <exception cref="AlignmentException">There is no such run or arm, or the arm is not trained yet.</exception>
    public static LocalArm Open(string runFolder, string arm)
    {
        if (!Arms.All.Contains(arm)) throw new AlignmentException($"there is no arm '{arm}'; the arms are {string.Join(", ", Arms.All)}.");
        var origin = RunOrigin.Read(runFolder);
        var hash = RunFolder.ManifestOf(runFolder).PolicyHash;
        var isBase = arm is Arms.Base or Arms.BaseWithPolicy;
        var folder = isBase ? origin.Model ?? throw new AlignmentException($"{runFolder}: the base model of this run is behind an endpoint; name it with --model, and its policy with --policy {origin.Policy}.")
            : Path.Combine(runFolder, "models", arm);
        if (!isBase && !Directory.Exists(folder)) throw new AlignmentException($"{folder}: this run has no trained model of the arm '{arm}'; train it with `deliberate run --out {runFolder}`.");
        ChatMessage[] system = arm == Arms.BaseWithPolicy ? [new(ChatRole.System, origin.Spec)] : [];
        if (!LocalChat.IsMiniature(folder)) return new(LocalChat.Open(folder), arm, system) { PolicyFolder = origin.Policy, PolicyHash = hash };
        var model = RunContext.LoadModel(folder);
        if (isBase) model = model.WithTokens(origin.Codes ?? new Dictionary<string, string>());
        return new(arm, model, arm != Arms.InstantRefusal, system) { PolicyFolder = origin.Policy, PolicyHash = hash };
    }

    /// <summary>Whether <see cref="Open"/> can open the arm of a run; a run whose folder does not say what it was started from has none.</summary>
    public static bool Has(string runFolder, string arm)
    {
        try
        {
            var origin = RunOrigin.Read(runFolder);
            return arm is Arms.Base or Arms.BaseWithPolicy ? origin.Model is not null : File.Exists(Path.Combine(runFolder, "models", arm, "config.json"));
        }
        catch (AlignmentException)
        {
            return false;
        }
    }

    /// <summary>Opens a model by its folder, with a policy in its context when one is given.</summary>
    /// <exception cref="AlignmentException">It cannot be read.</exception>
    /// <exception cref="PolicyException">The policy cannot be read.</exception>
    public static LocalArm OpenModel(string modelFolder, string? policyFolder = null)
    {
        if (!LocalChat.IsMiniature(modelFolder))
            return new(LocalChat.Open(modelFolder), modelFolder, policyFolder is null ? [] : [new(ChatRole.System, Policy.Load(policyFolder).Spec(null).Text)]);
        var model = RunContext.LoadModel(modelFolder);
        if (policyFolder is null) return new(modelFolder, model, true, []);
        var policy = Policy.Load(policyFolder);
        var world = PolicyReading.Read(policy);
        model = model.WithTokens(ClauseCodes.Lend(model.Tokenizer, world));
        return new(modelFolder, model, true, [new(ChatRole.System, RunContext.WholeSpec(policy, world, model).Spec.Text)]);
    }
}
