using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Flow;

/// <summary>
/// Limits the calls to a client, repeats those that fail for a passing reason, and keeps count. A call that is given up fails with an
/// <see cref="EndpointException"/> that says why; one that could pass the budget is not made (<see cref="BudgetExceededException"/>).
/// </summary>
/// <remarks>
/// Thread-safe. A streamed reply is repeated only as long as none of it has been given out; its time limit holds to its end.
/// <see cref="FlowController"/> is had with <c>GetService</c>.
/// </remarks>
public sealed class FlowControlChatClient : DelegatingChatClient
{
    private readonly FlowController _controller;
    private readonly bool _owned;
    private readonly string _model;

    /// <summary>A client with limits.</summary>
    /// <param name="inner">The client that is called.</param>
    /// <param name="controller">The limits.</param>
    /// <param name="owned">Whether the controller is disposed of with this client; false where several share it.</param>
    /// <exception cref="ArgumentException">There is a cap in money and no price for the client's model.</exception>
    public FlowControlChatClient(IChatClient inner, FlowController controller, bool owned = false)
        : base(inner)
    {
        ArgumentNullException.ThrowIfNull(controller);
        (_controller, _owned) = (controller, owned);
        _model = inner.GetService<ChatClientMetadata>()?.DefaultModelId ?? "unknown";
        controller.Price(_model);
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (list, price, estimate) = Plan(messages, options);
        var (response, lease) = await _controller.StartAsync(estimate, price, token => InnerClient.GetResponseAsync(list, options, token), cancellationToken).ConfigureAwait(false);
        lease.Succeed(response.Usage, response.Messages.SelectMany(message => message.Contents).Select(TextOf), response.FinishReason == ChatFinishReason.Length);
        return response;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (list, price, estimate) = Plan(messages, options);
        var ((updates, more), lease) = await _controller.StartAsync(estimate, price, token => BeginAsync(list, options, token), cancellationToken).ConfigureAwait(false);
        var (usage, finish, texts) = ((UsageDetails?)null, (ChatFinishReason?)null, new List<string>());
        try
        {
            while (more)
            {
                var update = updates.Current;
                finish = update.FinishReason ?? finish;
                usage = update.Contents.OfType<UsageContent>().FirstOrDefault()?.Details ?? usage;
                texts.AddRange(update.Contents.Select(TextOf));
                yield return update;
                more = await NextAsync(updates, lease).ConfigureAwait(false);
            }

            lease.Succeed(usage, texts, finish == ChatFinishReason.Length);
        }
        finally
        {
            lease.Leave();
            await updates.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType == typeof(FlowController) ? _controller : base.GetService(serviceType, serviceKey);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _owned) _controller.Dispose();
        base.Dispose(disposing);
    }

    private (IReadOnlyList<ChatMessage> Messages, ModelPrice? Price, CallEstimate Estimate) Plan(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        ArgumentNullException.ThrowIfNull(messages);
        // Read once: a repeated call asks the same.
        var list = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var price = _controller.Price(options?.ModelId ?? _model);
        return (list, price, CallEstimate.Of(list, options, _controller.Options.DefaultOutputTokens, price));
    }

    private async Task<(IAsyncEnumerator<ChatResponseUpdate> Updates, bool More)> BeginAsync(IReadOnlyList<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        var updates = InnerClient.GetStreamingResponseAsync(messages, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        try
        {
            return (updates, await updates.MoveNextAsync().ConfigureAwait(false));
        }
        catch
        {
            await updates.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<ChatResponseUpdate> updates, CallLease lease)
    {
        try
        {
            return await updates.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var failure = lease.Fail(e);
            if (ReferenceEquals(failure, e)) throw;
            throw failure;
        }
    }

    private static string TextOf(AIContent content) => content switch { TextContent text => text.Text, TextReasoningContent thought => thought.Text, _ => "" };
}
