using Deliberate.Policies;

namespace Deliberate.Runs.Store;

/// <summary>
/// What one call to a model is about, beyond its messages. Whoever makes the call enters it, and a client that keeps responses reads it: nothing of it
/// reaches the model. It flows with the call, not to others that run at the same time.
/// </summary>
/// <param name="PromptId">The id of the prompt or item that the call is for; empty when it has none.</param>
/// <param name="SampleIndex">Number of the sample, or of the judge's run, among those of its prompt, from 0. Part of a response's key.</param>
/// <param name="Spec">The specification that the messages were written from, or null. A response is stale when this text would be another today.</param>
/// <param name="TemplateVersion">Version of the format that the messages were written in, or null. Part of a response's key.</param>
public sealed record CallDetails(string PromptId, int SampleIndex = 0, Spec? Spec = null, string? TemplateVersion = null)
{
    private static readonly AsyncLocal<CallDetails?> Ambient = new();

    /// <summary>The details of the call that is being made, or null when nobody entered any.</summary>
    public static CallDetails? Current => Ambient.Value;

    /// <summary>Makes these the details of all calls until the scope is disposed, in this flow of execution alone.</summary>
    public IDisposable Enter()
    {
        var scope = new Scope(Ambient.Value);
        Ambient.Value = this;
        return scope;
    }

    private sealed class Scope(CallDetails? before) : IDisposable
    {
        public void Dispose() => Ambient.Value = before;
    }
}
