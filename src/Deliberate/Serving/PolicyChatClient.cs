using System.Runtime.CompilerServices;
using System.Text;
using Deliberate.Conversations;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Serving;

/// <summary>
/// Puts spec(category) before every conversation, for a model that was not trained on the policy, and takes out of the answers what shows it. An answer of
/// which nothing is left finishes with <see cref="ChatFinishReason.ContentFilter"/>. Thoughts are left as they are: hiding them is for
/// <see cref="HiddenThinkingChatClient"/>, around this one. Thread-safe.
/// </summary>
public sealed class PolicyChatClient : DelegatingChatClient
{
    /// <summary>The additional property of a response that names the category whose clauses were given in full.</summary>
    internal const string CategoryProperty = "deliberate.category";

    /// <summary>The additional property of a response that counts the sentences taken out.</summary>
    internal const string StrippedProperty = "deliberate.stripped";

    private readonly Func<Conversation, CancellationToken, ValueTask<Spec>> _spec;
    private readonly PolicyServingOptions _options;
    private readonly HiddenThinkingOptions _thinking;

    /// <summary>Serves under a policy.</summary>
    /// <param name="inner">The model.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="options">Which part of it is given, and how.</param>
    /// <param name="thinking">How the model marks its thoughts.</param>
    /// <exception cref="PolicyException">There is no such category, or a specification exceeds the budget.</exception>
    public PolicyChatClient(IChatClient inner, Policy policy, PolicyServingOptions? options = null, HiddenThinkingOptions? thinking = null) : base(inner)
    {
        ArgumentNullException.ThrowIfNull(policy);
        (_options, _thinking) = (options ?? new(), thinking ?? new());
        // Made now, so that a policy that does not fit is told of before the first call.
        var specs = policy.Categories.ToDictionary(category => category.Id, category => policy.Spec(category.Id, _options.TokenBudget));
        var whole = policy.Spec(_options.Category, _options.TokenBudget);
        _spec = async (conversation, token) =>
            await _options.CategoryOfAsync(conversation, token).ConfigureAwait(false) is { } id && specs.TryGetValue(id, out var spec) ? spec : whole;
    }

    /// <summary>Serves under a specification that was made before.</summary>
    public PolicyChatClient(IChatClient inner, Spec spec, PolicyServingOptions? options = null, HiddenThinkingOptions? thinking = null) : base(inner)
    {
        ArgumentNullException.ThrowIfNull(spec);
        (_options, _thinking) = (options ?? new(), thinking ?? new());
        _spec = (_, _) => ValueTask.FromResult(spec);
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (spec, asked) = await AskAsync(messages, cancellationToken).ConfigureAwait(false);
        var response = ThoughtReplies.Normal(await base.GetResponseAsync(asked, options, cancellationToken).ConfigureAwait(false), _thinking);
        var contents = response.Messages[0].Contents;
        var stripper = new SpecStripper(_options.Leak, spec);
        for (var i = contents.Count - 1; i >= 0; i--)
        {
            if (contents[i] is not TextContent text) continue;
            var left = (stripper.Add(text.Text) + stripper.Finish()).Trim();
            if (left.Length == 0) contents.RemoveAt(i);
            else text.Text = left;
        }

        if (stripper.Stripped > 0 && response.Text.Length == 0) response.FinishReason = ChatFinishReason.ContentFilter;
        response.AdditionalProperties = Facts(spec, stripper);
        return response;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (spec, asked) = await AskAsync(messages, cancellationToken).ConfigureAwait(false);
        var stripper = new SpecStripper(_options.Leak, spec);
        ChatResponseUpdate? last = null;
        var shown = false;
        await foreach (var update in ThoughtReplies.NormalAsync(base.GetStreamingResponseAsync(asked, options, cancellationToken), _thinking, cancellationToken).ConfigureAwait(false))
        {
            var left = new List<AIContent>();
            foreach (var content in update.Contents)
            {
                if (content is not TextContent text) left.Add(content);
                else if (stripper.Add(text.Text) is { Length: > 0 } certain) left.Add(new TextContent(certain));
            }

            shown |= left.Any(content => content is TextContent { Text.Length: > 0 });
            update.Contents = left;
            // The last update says how the reply ended, which what is still held back may change.
            if (update.FinishReason is not null) last = update;
            else if (left.Count > 0) yield return update;
        }

        if (last is null) yield break;
        if (stripper.Finish() is { Length: > 0 } rest)
        {
            yield return ThoughtReplies.Like(last, [new TextContent(rest)]);
            shown |= !string.IsNullOrWhiteSpace(rest);
        }

        if (stripper.Stripped > 0 && !shown) last.FinishReason = ChatFinishReason.ContentFilter;
        last.AdditionalProperties = Facts(spec, stripper);
        yield return last;
    }

    private static AdditionalPropertiesDictionary Facts(Spec spec, SpecStripper stripper) => new() { [CategoryProperty] = spec.Category, [StrippedProperty] = stripper.Stripped };

    private async ValueTask<(Spec Spec, IReadOnlyList<ChatMessage> Messages)> AskAsync(IEnumerable<ChatMessage> messages, CancellationToken cancellationToken)
    {
        var list = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var spec = await _spec(Conversation.FromMessages(list), cancellationToken).ConfigureAwait(false);
        // Many chat templates take a single system message, and take it first.
        var text = new StringBuilder((_options.Write ?? PolicyServingOptions.Default)(spec));
        foreach (var system in list.Where(message => message.Role == ChatRole.System)) text.Append("\n\n").Append(system.Text);
        return (spec, [new(ChatRole.System, text.ToString()), .. list.Where(message => message.Role != ChatRole.System)]);
    }
}
