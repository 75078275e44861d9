using Deliberate.Conversations;
using Deliberate.Server.Chat;
using Deliberate.Serving;
using Microsoft.Extensions.AI;

namespace Deliberate.Server.Dashboard.Chat;

/// <summary>Asks a model for the chat page. Thread-safe as far as its client is.</summary>
internal static class SideBySide
{
    private const string Cut = "The thought was cut before there was an answer.";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Asks a model for its answer to a message after what was said before.</summary>
    /// <param name="model">The model.</param>
    /// <param name="before">What was said before.</param>
    /// <param name="message">The message.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="stop">Cancelled when open requests must end because the server stops.</param>
    /// <param name="left">Cancelled when the caller has left.</param>
    public static async Task<ChatReply> AskAsync(DashboardModel model, IEnumerable<(string User, string Answer)> before, string message, Caller caller, CancellationToken stop, CancellationToken left)
    {
        List<ChatMessage> messages = [];
        foreach (var (user, answer) in before) messages.AddRange([new(ChatRole.User, user), new(ChatRole.Assistant, answer)]);
        messages.Add(new(ChatRole.User, message));
        using var lease = caller.Id is { } key ? model.Limits?.Take(key) : null;
        if (lease is { IsAcquired: false }) return Problem("Your key has asked too often, or has too many requests open: wait and ask again.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop, left);
        limit.CancelAfter(Patience);
        // The server hides the thought and writes down who asked.
        var options = model.IsServed ? new CallContext(caller.Id ?? caller.Name, caller.MayReadThoughts).With(null) : null;
        try
        {
            // Away from the request's thread: a model of this machine computes where it is called.
            var response = await Task.Run(() => model.Open().GetResponseAsync(messages, options, limit.Token), limit.Token).ConfigureAwait(false);
            return model.IsServed ? Served(response) : Bare(response);
        }
        catch (OperationCanceledException) when (!left.IsCancellationRequested)
        {
            return Problem(stop.IsCancellationRequested ? "The server is shutting down; ask again in a moment." : "No answer came in time.");
        }
        catch (ModelFailedException failure)
        {
            return Problem(failure.Message);
        }
#pragma warning disable CA1031 // a model may fail in any way; its message may quote what it wrote, so only the kind of failure is told
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            return Problem($"The model could not answer ({problem.GetType().Name}). Is it reachable, and can its files be read?");
        }
#pragma warning restore CA1031

        ChatReply Problem(string words) => new(model.Name, "", null, words);

        // Thought and answer come apart already; a tag within the answer is the answer's own.
        ChatReply Served(ChatResponse response)
        {
            var (thinking, answer) = ChatCompletions.Split(response.Messages.SelectMany(said => said.Contents));
            var cut = answer.Length == 0 && response.FinishReason == ChatFinishReason.Length;
            return new(model.Name, answer, caller.MayReadThoughts ? ThoughtView.Of(thinking, caller) : null, cut ? Cut : null);
        }

        ChatReply Bare(ChatResponse response)
        {
            var completion = CompletionReader.Read(response);
            return new(model.Name, completion.Answer, ThoughtView.Of(completion.Thinking, caller), completion.Truncated && completion.Answer.Length == 0 ? Cut : null);
        }
    }
}
