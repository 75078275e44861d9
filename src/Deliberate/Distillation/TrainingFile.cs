using Deliberate.Conversations;
using Deliberate.Runs;

namespace Deliberate.Distillation;

/// <summary>
/// Training examples as JSON lines in the conversational format of TRL: <c>messages</c> with the thought in a <c>thinking</c> field
/// beside the assistant's <c>content</c>, then <c>id</c>, <c>provenance</c>, and what is known of <c>category</c>, <c>action</c>, <c>source</c> and <c>licence</c>.
/// </summary>
public static class TrainingFile
{
    /// <summary>Writes the file in one step.</summary>
    public static void Write(string path, IEnumerable<TrainingExample> examples)
    {
        ArgumentNullException.ThrowIfNull(examples);
        JsonLines.Write(path, examples.Select(example => new Line(
            [
                .. example.Conversation.Turns.Select(turn => new Message(turn.Role, turn.Text, "")),
                new Message(Role.Assistant, example.Answer, example.Thinking),
            ],
            example.Id, example.Provenance, example.Category, example.Action, example.Source, example.Licence)));
    }

    /// <summary>Reads a file that <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">A line is no such example; the message names file and line.</exception>
    public static IReadOnlyList<TrainingExample> Read(string path) => [.. JsonLines.Read<Line>(path).Select((line, index) => Example(line, path, index + 1))];

    private static TrainingExample Example(Line line, string path, int number)
    {
        if (line.Messages is not [.. var prompt, { Role: Role.Assistant } reply] || prompt is not [.., { Role: Role.User }])
            throw new InvalidDataException($"{path}:{number}: field 'messages' must end on a user's message and the assistant's answer to it.");
        return new(line.Id, new([.. prompt.Select(message => new Turn(message.Role, message.Content))]), reply.Thinking, reply.Content, line.Provenance)
        {
            Category = line.Category,
            Action = line.Action,
            Source = line.Source,
            Licence = line.Licence,
        };
    }

    private sealed record Line(
        Message[] Messages, string Id, Provenance Provenance, string? Category = null, string? Action = null, string? Source = null, string? Licence = null);

    // One shape for all messages: loaders of data sets want every row alike.
    private sealed record Message(Role Role, string Content, string Thinking);
}

/// <summary>Rejected samples with their reasons as JSON lines. They may be harmful: keep them where only those who need them can read.</summary>
public static class RejectedFile
{
    /// <summary>Writes the file in one step.</summary>
    public static void Write(string path, IEnumerable<RejectedSample> rejected) => JsonLines.Write(path, rejected);

    /// <summary>Reads a file that <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">A line is no rejected sample; the message names file and line.</exception>
    public static IReadOnlyList<RejectedSample> Read(string path) => JsonLines.Read<RejectedSample>(path);
}
