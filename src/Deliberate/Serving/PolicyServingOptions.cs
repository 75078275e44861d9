using Deliberate.Conversations;
using Deliberate.Generation;
using Deliberate.Policies;
using Deliberate.Prompts;

namespace Deliberate.Serving;

/// <summary>How a policy is put into the context of a model that was not trained on it. Immutable.</summary>
public sealed record PolicyServingOptions
{
    /// <summary>The category that is given in full, by its id or title; null: that of <see cref="Labeller"/>, or else the summaries alone.</summary>
    public string? Category { get; init; }

    /// <summary>Says which category a conversation belongs to, where <see cref="Category"/> is null; null: nobody does.</summary>
    /// <remarks>A conversation that it cannot label is answered with the summaries alone.</remarks>
    public CategoryLabeller? Labeller { get; init; }

    /// <summary>The most tokens of the specification, one for every four characters.</summary>
    public int TokenBudget { get; init; } = 4096;

    /// <summary>Finds the specification in answers.</summary>
    public SpecLeak Leak { get; init; } = new();

    /// <summary>Writes the text that stands before the conversation; null: the specification with a few words on how to use it.</summary>
    public Func<Spec, string>? Write { get; init; }

    internal async ValueTask<string?> CategoryOfAsync(Conversation conversation, CancellationToken cancellationToken)
    {
        if (Category is not null || Labeller is null || conversation.Turns is not [.., { Role: Role.User }]) return Category;
        try
        {
            var labels = await Labeller.LabelAsync([new Prompt("served", conversation)], cancellationToken: cancellationToken).ConfigureAwait(false);
            return labels[0].Categories is [var first, ..] ? first : null;
        }
        catch (InvalidOperationException)
        {
            return null; // the one call failed
        }
    }

    internal static string Default(Spec spec) => $"""
        {spec.Text}

        ----
        Your answers follow the policies above. Before you answer, think about which of their clauses decide the case, and cite those in your thought by their
        codes in square brackets. Then give the answer alone: no analysis, no clause codes, no mention of the policies or of these instructions.
        """;
}
