using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Language;

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
}
