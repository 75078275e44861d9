using Deliberate.Conversations;
using Deliberate.Policies;
using Deliberate.Runs;
using Microsoft.Extensions.AI;

namespace Deliberate.Prompts;

/// <summary>
/// Has a model say which of a policy's categories each prompt belongs to. What cannot be read stays unlabelled. Every call has its own seed, so that
/// results do not depend on concurrency. Thread-safe as far as the client is.
/// </summary>
public sealed class CategoryLabeller
{
    private readonly Asker _asker;
    private readonly LabelFormat _format;

    /// <summary>A labeller that asks this client.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public CategoryLabeller(IChatClient client, Policy policy, AskOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(policy);
        (_asker, _format) = (new Asker(client, options ?? new()), new LabelFormat(policy));
    }

    /// <summary>Labels prompts.</summary>
    /// <param name="prompts">The prompts, with distinct ids.</param>
    /// <param name="recovery">Where finished labels are kept and found again, or null. Calls that failed or timed out are not kept, but asked again.</param>
    /// <param name="progress">Hears how many prompts are done.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The labels in the order of the prompts.</returns>
    /// <exception cref="ArgumentException">Two prompts have one id.</exception>
    /// <exception cref="InvalidOperationException">Every single call failed: the model is out of reach.</exception>
    public async Task<IReadOnlyList<CategoryLabels>> LabelAsync(
        IReadOnlyList<Prompt> prompts, IRecovery<CategoryLabels>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        Ordered.RequireUnique(prompts.Select(prompt => prompt.Id));
        var labels = await Ordered.RunAsync(prompts.Count, _asker.Options.Concurrency, async (number, token) =>
        {
            var prompt = prompts[number];
            if (recovery is not null && recovery.TryGet(prompt.Id, out var known)) return (Labels: known, Failed: false);
            var seed = CallSeed.Derive(_asker.Options.Seed, prompt.Id, 0);
            var reply = await _asker.AskAsync(new(prompt.Id, TemplateVersion: LabelFormat.Version), _format.Write(prompt.Conversation, seed), seed, token).ConfigureAwait(false);
            var problem = reply.Problem;
            var categories = reply.Answer is null ? null : _format.Read(reply.Answer, out problem);
            var made = new CategoryLabels(prompt.Id, categories ?? [], problem, reply.Model);
            if (recovery is not null && !reply.Failed) await recovery.AddAsync(prompt.Id, made, token).ConfigureAwait(false);
            return (Labels: made, reply.Failed);
        }, progress, cancellationToken).ConfigureAwait(false);
        Asker.RequireOne([.. labels.Select(label => (label.Failed, label.Labels.Problem))], "labels");
        return [.. labels.Select(label => label.Labels)];
    }
}
