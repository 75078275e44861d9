using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Runs;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;

namespace Deliberate.Prompts;

/// <summary>What came of a call.</summary>
/// <param name="Answer">The answer without the thought, or null when there is none.</param>
/// <param name="Problem">Why there is none, or null.</param>
/// <param name="Failed">True when the call failed or timed out, so that asking again may help.</param>
/// <param name="Model">The model as it names itself.</param>
internal sealed record Reply(string? Answer, string? Problem, bool Failed, string Model);

/// <summary>Asks a model and tells a failed, late or cut reply from a good one. Thread-safe as far as the client is.</summary>
internal sealed class Asker
{
    private readonly IChatClient _client;
    private readonly string _model;

    /// <summary>Asks this client.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Asker(IChatClient client, AskOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.Temperature, nameof(options));
        (_client, Options) = (client, options);
        _model = (client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId ?? "unknown";
    }

    /// <summary>How the model is asked.</summary>
    public AskOptions Options { get; }

    /// <summary>Asks once.</summary>
    /// <param name="about">What the call is about.</param>
    /// <param name="messages">What is asked.</param>
    /// <param name="seed">The call's seed.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    public async Task<Reply> AskAsync(CallDetails about, IReadOnlyList<ChatMessage> messages, int seed, CancellationToken cancellationToken)
    {
        using var call = about.Enter();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (Options.Timeout is { } timeout) limit.CancelAfter(timeout);
        var options = new ChatOptions { Temperature = (float)Options.Temperature, MaxOutputTokens = Options.MaxTokens, Seed = seed };
        try
        {
            // WaitAsync: a client that does not listen to its token must not hold all up.
            var response = await _client.GetResponseAsync(messages, options, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
            var completion = CompletionReader.Read(response, Options.ThinkingOpened);
            var model = response.ModelId ?? _model;
            return completion.Truncated ? new(null, "the reply was cut", false, model) : new(completion.Answer, null, false, model);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return new(null, string.Create(CultureInfo.InvariantCulture, $"no reply within {Options.Timeout!.Value.TotalSeconds:0.###} s"), true, _model);
        }
#pragma warning disable CA1031 // one failed call is told and does not end the others
        catch (Exception problem) when (problem is not IFinalFailure { EndsRun: true })
        {
            return new(null, $"the call failed: {problem.Message.ReplaceLineEndings(" ")}", true, _model);
        }
#pragma warning restore CA1031
    }

    /// <summary>Throws when not one of the calls went through: going on would only hide that the model is out of reach.</summary>
    /// <exception cref="InvalidOperationException">None did.</exception>
    public static void RequireOne(IReadOnlyCollection<(bool Failed, string? Problem)> calls, string what)
    {
        if (calls.Count > 0 && calls.All(call => call.Failed)) throw new InvalidOperationException($"Every call to the model that {what} failed: {calls.First().Problem}");
    }
}
