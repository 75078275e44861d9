using Deliberate.Conversations;
using Microsoft.Extensions.AI;

namespace Deliberate.Server.Dashboard.Chat;

/// <summary>Asks a model for the chat page. Thread-safe as far as its client is.</summary>
internal static class SideBySide
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Asks a model for its answer to a message after what was said before.</summary>
    public static async Task<ChatReply> AskAsync(DashboardModel model, IEnumerable<(string User, string Answer)> before, string message, Caller caller, CancellationToken cancel)
    {
        List<ChatMessage> messages = [];
        foreach (var (user, answer) in before) messages.AddRange([new(ChatRole.User, user), new(ChatRole.Assistant, answer)]);
        messages.Add(new(ChatRole.User, message));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            // Away from the request's thread: a model of this machine computes where it is called.
            var response = await Task.Run(() => model.Open().GetResponseAsync(messages, null, limit.Token), limit.Token).ConfigureAwait(false);
            var completion = CompletionReader.Read(response);
            return new(model.Name, completion.Answer, ThoughtView.Of(completion.Thinking, caller), completion.Truncated && completion.Answer.Length == 0 ? "The thought was cut before there was an answer." : null);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new(model.Name, "", new(0, null), "No answer came in time.");
        }
#pragma warning disable CA1031 // a model may fail in any way; its message may quote what it wrote, so only the kind of failure is told
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            return new(model.Name, "", new(0, null), $"The model could not answer ({problem.GetType().Name}). Is it reachable, and can its files be read?");
        }
#pragma warning restore CA1031
    }
}
