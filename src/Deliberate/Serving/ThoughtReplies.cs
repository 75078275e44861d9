using System.Runtime.CompilerServices;
using System.Text;
using Deliberate.Conversations;
using Microsoft.Extensions.AI;

namespace Deliberate.Serving;

/// <summary>
/// Brings replies into one shape: the thought as <see cref="TextReasoningContent"/>, the answer as <see cref="TextContent"/>, calls of tools as they are, and
/// nothing else that could hold words of the model. Bringing a reply into it twice changes nothing.
/// </summary>
internal static class ThoughtReplies
{
    /// <summary>A whole reply in that shape.</summary>
    public static ChatResponse Normal(ChatResponse response, HiddenThinkingOptions options)
    {
        var read = CompletionReader.Read(response, options.Start == ThoughtStart.Thought);
        var contents = new List<AIContent>();
        if (read.Thinking.Length > 0) contents.Add(new TextReasoningContent(read.Thinking));
        contents.AddRange(response.Messages.SelectMany(message => message.Contents).Select(Kept).OfType<AIContent>());
        if (read.Answer.Length > 0) contents.Add(new TextContent(read.Answer));
        return new(new ChatMessage(ChatRole.Assistant, contents) { MessageId = response.Messages.LastOrDefault()?.MessageId })
        {
            ResponseId = response.ResponseId,
            ConversationId = response.ConversationId,
            ModelId = response.ModelId,
            CreatedAt = response.CreatedAt,
            FinishReason = read.Truncated ? ChatFinishReason.Length : response.FinishReason,
            Usage = response.Usage,
        };
    }

    /// <summary>A stream in that shape. Its last update carries the reason why it ended and the usage.</summary>
    public static async IAsyncEnumerable<ChatResponseUpdate> NormalAsync(
        IAsyncEnumerable<ChatResponseUpdate> updates, HiddenThinkingOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (apart, waits, splitter, text, answer) = (options.Start == ThoughtStart.Answer, false, new ThoughtSplitter(options.Start), new StringBuilder(), new StringBuilder());
        var last = new ChatResponseUpdate { Role = ChatRole.Assistant };
        UsageDetails? usage = null;
        var eager = options.Streaming == AnswerStreaming.AsTheyCome;

        ChatResponseUpdate? Update(IReadOnlyList<SplitText> parts)
        {
            List<AIContent> contents = [];
            foreach (var part in parts)
            {
                if (part.IsThought) contents.Add(new TextReasoningContent(part.Text));
                else if (part.Text == ThoughtSplitter.LateClose) Recall();
                else if (options.Streaming == AnswerStreaming.WhenWhole) answer.Append(part.Text);
                else contents.Add(new TextContent(part.Text));
            }

            return contents.Count == 0 ? null : Like(last, contents);

            // What is still here of the answer was thought after all.
            void Recall()
            {
                contents = [.. contents.Select(content => content is TextContent shown ? new TextReasoningContent(shown.Text) : content)];
                if (answer.Length > 0) contents.Add(new TextReasoningContent(answer.ToString()));
                answer.Clear();
            }
        }

        await foreach (var update in updates.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            last.ModelId = update.ModelId ?? last.ModelId;
            last.ResponseId = update.ResponseId ?? last.ResponseId;
            last.MessageId = update.MessageId ?? last.MessageId;
            last.ConversationId = update.ConversationId ?? last.ConversationId;
            last.CreatedAt = update.CreatedAt ?? last.CreatedAt;
            last.FinishReason = update.FinishReason ?? last.FinishReason;
            foreach (var content in update.Contents)
            {
                switch (content)
                {
                    case TextReasoningContent thought:
                        if (options.Streaming == AnswerStreaming.WhenCertain && MarkedThought.Is(thought))
                        {
                            if (apart && Update(splitter.Finish()) is { } sent) yield return sent;
                            (apart, waits) = (false, true);
                        }
                        else if (!apart && !waits)
                        {
                            apart = true;
                            var held = eager ? [] : splitter.Add(text.ToString());
                            if (Update([.. held, .. splitter.ThoughtIsApart()]) is { } before) yield return before;
                            text.Clear();
                            // A thought that comes apart from the text also ends apart from it.
                            if (options.Start == ThoughtStart.Thought) splitter = new(ThoughtStart.Answer);
                        }

                        if (thought.Text.Length > 0) yield return Like(last, [new TextReasoningContent(thought.Text)]);
                        break;
                    case TextContent plain when apart || eager:
                        if (Update(splitter.Add(plain.Text)) is { } certain) yield return certain;
                        break;
                    case TextContent plain:
                        text.Append(plain.Text);
                        break;
                    case UsageContent used:
                        if (usage is null) usage = used.Details;
                        else usage.Add(used.Details);
                        break;
                    default:
                        if (Kept(content) is { } kept) yield return Like(last, [kept]);
                        break;
                }
            }
        }

        if (apart || eager)
        {
            if (Update(splitter.Finish()) is { } rest) yield return rest;
            if (answer.Length > 0) yield return Like(last, [new TextContent(answer.ToString())]);
            if (splitter.Unclosed) last.FinishReason = ChatFinishReason.Length;
        }
        else
        {
            // Where the client has taken the marks out, what is left is not within a thought.
            var read = CompletionReader.Read(text.ToString(), options.Start == ThoughtStart.Thought && !waits, last.FinishReason == ChatFinishReason.Length);
            if (read.Thinking.Length > 0) yield return Like(last, [new TextReasoningContent(read.Thinking)]);
            if (read.Answer.Length > 0) yield return Like(last, [new TextContent(read.Answer)]);
            if (read.Truncated) last.FinishReason = ChatFinishReason.Length;
        }

        last.FinishReason ??= ChatFinishReason.Stop;
        if (usage is not null) last.Contents.Add(new UsageContent(usage));
        yield return last;
    }

    /// <summary>Whether a content shows the thought.</summary>
    public static bool IsThought(AIContent content) => content is TextReasoningContent;

    /// <summary>An update with these contents and the facts of another, but for how it ended.</summary>
    public static ChatResponseUpdate Like(ChatResponseUpdate other, IList<AIContent> contents) => new(ChatRole.Assistant, contents)
    {
        ModelId = other.ModelId,
        ResponseId = other.ResponseId,
        MessageId = other.MessageId,
        ConversationId = other.ConversationId,
        CreatedAt = other.CreatedAt,
    };

    // What is neither text nor thought. Raw representations and additional properties are where clients leave the provider's whole reply.
    private static AIContent? Kept(AIContent content)
    {
        switch (content)
        {
            case FunctionCallContent or FunctionResultContent or DataContent or UriContent:
                (content.RawRepresentation, content.AdditionalProperties) = (null, null);
                return content;
            case ErrorContent error:
                return new ErrorContent("The model reported an error.") { ErrorCode = error.ErrorCode is { Length: <= 40 } code && code.All(sign => char.IsAsciiLetterOrDigit(sign) || sign == '_') ? code : null };
            default:
                return null;
        }
    }
}
