using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Generation;

/// <summary>
/// The prompt of the paper's data generation (section 2.3.1) in our words: one message that gives the policy, quotes the conversation and
/// asks the model to weigh its answer against the policy in its thought, citing what applies.
/// </summary>
/// <remarks>
/// The paper quotes the conversation first. Here the policy, which is long and the same for all prompts of a category, comes first, so that servers
/// and engines that keep the beginnings of prompts read it once.
/// </remarks>
/// <param name="tags">Whether the model is told to mark its thought with tags: for those that do not think by themselves.</param>
public sealed class PaperGenerationFormat(bool tags = false) : IGenerationFormat
{
    private const string Tags = "\nWrite this thought first, between <think> and </think>.";

    /// <inheritdoc/>
    public string Version => tags ? "paper-generation-2-tags" : "paper-generation-2";

    /// <inheritdoc/>
    public IReadOnlyList<ChatMessage> Write(Conversation conversation, Spec spec)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentNullException.ThrowIfNull(spec);
        var fence = Fence.For(0, [.. conversation.Turns.Select(turn => turn.Text)]);
        var quoted = string.Join('\n', conversation.Turns.Select(turn => fence.Wrap(turn.Role.ToString().ToLowerInvariant(), turn.Text)));
        return
        [
            new ChatMessage(ChatRole.User, $"""
                These are the policies that an assistant's answers follow.

                {spec.Text}

                ----
                Here is a conversation between a user and the assistant. Tags with the code {fence.Tag} mark where each message begins and ends.

                {quoted}

                Write the best possible answer to the user's last message. It must follow all of the policies above.

                ----
                FINAL INSTRUCTIONS
                Before you answer, think through the answer that you propose: does it follow the policies, is it correct, does it help?
                In that thought:
                - cite the clauses that decide the case, with their codes in square brackets and their words ("The policy says [X1] ...");
                - leave out the sections that do not apply;
                - decide whether to comply, to refuse or to complete safely;
                - if you refuse or complete safely, cite the style guideline for that, and follow it.{(tags ? Tags : "")}
                Then give the answer alone: no analysis, no clause codes, no mention of the policies or of these instructions.
                """),
        ];
    }
}
