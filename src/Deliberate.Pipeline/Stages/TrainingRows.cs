using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Prompts;

namespace Deliberate.Pipeline.Stages;

/// <summary>Training examples as token rows: the loss is on thought and answer alone.</summary>
internal static class TrainingRows
{
    /// <summary>One row an example.</summary>
    public static TokenRow[] Of(IEnumerable<TrainingExample> examples, BpeTokenizer tokenizer) => [.. examples.Select(example =>
    {
        var transcript = new Transcript(tokenizer);
        foreach (var turn in example.Conversation.Turns)
            _ = turn.Role switch
            {
                Role.System => transcript.System(turn.Text),
                Role.Assistant => transcript.Earlier(turn.Text),
                _ => transcript.User(turn.Text),
            };
        return transcript.Assistant(example.Thinking, example.Answer).ToRow();
    })];

    /// <summary>
    /// Requests of all topics in all disguises with the first sentence of their thought alone, which says what is asked. They keep the
    /// ability to read what the examples do not show, and teach nothing about the policy: category, clause and decision are not in them.
    /// </summary>
    public static IEnumerable<TokenRow> Readings(int seed, int count, BpeTokenizer tokenizer) =>
        TrainingPrompts.Any(seed, count).Select(request => new Transcript(tokenizer).User(request.Text).Begin(Thoughts.Reading(request)).ToRow());
}
