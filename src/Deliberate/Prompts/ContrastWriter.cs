using Deliberate.Conversations;
using Deliberate.Runs;
using Microsoft.Extensions.AI;

namespace Deliberate.Prompts;

/// <summary>
/// Has a model write, for harmful prompts, prompts that look like them and are to be answered, so that over-refusal can be trained against. Every call
/// has its own seed, so that results do not depend on concurrency. What is written is not yet known to be harmless: label or judge it before use.
/// Thread-safe as far as the client is.
/// </summary>
public sealed class ContrastWriter
{
    private readonly Asker _asker;

    /// <summary>A writer that asks this client.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public ContrastWriter(IChatClient client, AskOptions? options = null) => _asker = new(client, options ?? new(Temperature: 0.7));

    /// <summary>Writes one contrast prompt of each kind for each prompt.</summary>
    /// <param name="prompts">The harmful prompts, with distinct ids.</param>
    /// <param name="kinds">The kinds, each once.</param>
    /// <param name="recovery">Where finished work is kept and found again, or null. Calls that failed or timed out are not kept, but asked again.</param>
    /// <param name="progress">Hears how many are done.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>All kinds of the first prompt, then those of the second…, with those that came to nothing and why.</returns>
    /// <exception cref="ArgumentException">Two prompts have one id, or a kind occurs twice.</exception>
    /// <exception cref="InvalidOperationException">Every single call failed: the model is out of reach.</exception>
    public async Task<IReadOnlyList<ContrastPrompt>> WriteAsync(
        IReadOnlyList<Prompt> prompts, IReadOnlyList<ContrastKind> kinds, IRecovery<ContrastPrompt>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(kinds);
        Ordered.RequireUnique(prompts.SelectMany(prompt => kinds.Select(kind => ContrastPrompt.IdOf(prompt.Id, kind))));
        var written = await Ordered.RunAsync(prompts.Count * kinds.Count, _asker.Options.Concurrency, async (number, token) =>
        {
            var (prompt, kind) = (prompts[number / kinds.Count], kinds[number % kinds.Count]);
            var id = ContrastPrompt.IdOf(prompt.Id, kind);
            if (recovery is not null && recovery.TryGet(id, out var known)) return (Made: known, Failed: false);
            var seed = CallSeed.Derive(_asker.Options.Seed, id, 0);
            var reply = await _asker.AskAsync(new(prompt.Id, TemplateVersion: ContrastFormat.Version), ContrastFormat.Write(prompt.Conversation, kind, seed), seed, token).ConfigureAwait(false);
            var problem = reply.Problem;
            var conversation = reply.Answer is null ? null : ContrastFormat.Read(reply.Answer, prompt.Conversation, kind, out problem);
            var made = conversation is null ? null : new Prompt(id, conversation, null, new Dictionary<string, string> { ["contrast"] = ContrastPrompt.Name(kind), ["from"] = prompt.Id });
            var contrast = new ContrastPrompt(made, prompt.Id, kind, problem, reply.Model, ContrastFormat.Version, seed);
            if (recovery is not null && !reply.Failed) await recovery.AddAsync(id, contrast, token).ConfigureAwait(false);
            return (Made: contrast, reply.Failed);
        }, progress, cancellationToken).ConfigureAwait(false);
        Asker.RequireOne([.. written.Select(each => (each.Failed, each.Made.Problem))], "writes contrast prompts");
        return [.. written.Select(each => each.Made)];
    }
}
