using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Miniature.Pretraining;
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
    /// <summary>Opens an arm of a run. The two arms that are the base model are opened from where the run found it.</summary>
    /// <param name="runFolder">The run's folder.</param>
    /// <param name="arm">One of <see cref="Arms.All"/>.</param>
    /// <exception cref="AlignmentException">There is no such run or arm, or the arm is not trained yet.</exception>
    public static LocalArm Open(string runFolder, string arm)
    {
        if (!Arms.All.Contains(arm)) throw new AlignmentException($"there is no arm '{arm}'; the arms are {string.Join(", ", Arms.All)}.");
        var origin = RunOrigin.Read(runFolder);
        if (arm is Arms.Base or Arms.BaseWithPolicy)
            return new(arm, RunContext.LoadModel(origin.Model).WithTokens(origin.Codes ?? new Dictionary<string, string>()), true, arm == Arms.Base ? [] : [new(ChatRole.System, origin.Spec)]);
        var folder = Path.Combine(runFolder, "models", arm);
        return Directory.Exists(folder) ? new(arm, RunContext.LoadModel(folder), arm != Arms.InstantRefusal, [])
            : throw new AlignmentException($"{folder}: this run has no trained model of the arm '{arm}'; train it with `deliberate run --out {runFolder}`.");
    }

    /// <summary>Opens a model by its folder, with a policy in its context when one is given.</summary>
    /// <exception cref="AlignmentException">It cannot be read.</exception>
    /// <exception cref="PolicyException">The policy cannot be read.</exception>
    public static LocalArm OpenModel(string modelFolder, string? policyFolder = null)
    {
        var model = RunContext.LoadModel(modelFolder);
        if (policyFolder is null) return new(modelFolder, model, true, []);
        var policy = Policy.Load(policyFolder);
        var world = PolicyReading.Read(policy);
        model = model.WithTokens(ClauseCodes.Lend(model.Tokenizer, world));
        return new(modelFolder, model, true, [new(ChatRole.System, RunContext.WholeSpec(policy, world, model).Spec.Text)]);
    }
}
