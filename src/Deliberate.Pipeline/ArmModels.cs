using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Pipeline;

/// <summary>A model to talk to.</summary>
/// <remarks>Holds the model's memory: dispose it. The client is thread-safe.</remarks>
public sealed class LocalArm : IDisposable
{
    private readonly Generator _generator;
    private readonly LocalChatClient _client;

    internal LocalArm(string name, ModelFolder model, bool thinking, IReadOnlyList<ChatMessage> systemMessages)
    {
        (Name, SystemMessages) = (name, systemMessages);
        _generator = new(model.Weights);
        _client = new(_generator, model.Tokenizer, new() { ModelId = model.Fingerprint, Thinking = thinking, MaxOutputTokens = Limits.CompletionTokens });
    }

    /// <summary>Name of the arm, or path of the model.</summary>
    public string Name { get; }

    /// <summary>Answers; its thinking comes as reasoning content.</summary>
    public IChatClient Client => _client;

    /// <summary>What stands before the conversation: the policy for the arm that is told it, else nothing.</summary>
    public IReadOnlyList<ChatMessage> SystemMessages { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _generator.Dispose();
    }
}

/// <summary>Opens the models of a run, and others.</summary>
public static class ArmModels
{
    /// <summary>Opens an arm of a run. The two arms that are the base model are opened from where that lies.</summary>
    /// <param name="runFolder">The run's folder.</param>
    /// <param name="arm">One of <see cref="Arms.All"/>.</param>
    /// <param name="policyFolder">The policy that the arm base+policy is told.</param>
    /// <param name="modelFolder">The base model; null: the shipped one.</param>
    /// <exception cref="AlignmentException">There is no such arm, or it is not trained yet.</exception>
    public static LocalArm Open(string runFolder, string arm, string? policyFolder = null, string? modelFolder = null)
    {
        if (!Arms.All.Contains(arm)) throw new AlignmentException($"there is no arm '{arm}'; the arms are {string.Join(", ", Arms.All)}.");
        if (arm is Arms.Base or Arms.BaseWithPolicy)
        {
            var model = RunContext.LoadModel(modelFolder ?? ShippedModel.Folder);
            if (arm == Arms.Base) return new(arm, model, true, []);
            var policy = Policy.Load(policyFolder ?? throw new AlignmentException($"the arm {arm} is told a policy: name its folder with --policy."));
            return new(arm, model, true, [new(ChatRole.System, WorldPrompts.Whole(PolicyReading.Read(policy), policy.Hash).Text)]);
        }

        var folder = Path.Combine(runFolder, "models", arm);
        return Directory.Exists(folder) ? new(arm, RunContext.LoadModel(folder), arm != Arms.InstantRefusal, [])
            : throw new AlignmentException($"{folder}: this run has no trained model of the arm '{arm}'; train it with `deliberate run --out {runFolder}`.");
    }

    /// <summary>Opens a model by its folder.</summary>
    /// <exception cref="AlignmentException">It cannot be read.</exception>
    public static LocalArm OpenModel(string modelFolder) => new(modelFolder, RunContext.LoadModel(modelFolder), true, []);
}
