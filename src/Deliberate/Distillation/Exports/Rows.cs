using System.Text.Json.Serialization;
using Deliberate.Conversations;
using Deliberate.Runs;

namespace Deliberate.Distillation.Exports;

/// <summary>What the rows of most formats are made of.</summary>
internal static class Rows
{
    /// <summary>A message as chat templates take it.</summary>
    public sealed record Message(Role Role, string Content);

    /// <summary>The conversation as messages.</summary>
    public static Message[] Prompt(TrainingExample example) => [.. example.Conversation.Turns.Select(turn => new Message(turn.Role, turn.Text))];

    /// <summary>Thought and answer in one text, as reasoning models write them; the answer alone when there is no thought.</summary>
    public static string Tagged(TrainingExample example) => example.Thinking.Length == 0 ? example.Answer : $"<think>\n{example.Thinking}\n</think>\n\n{example.Answer}";

    /// <summary>The first example of each prompt, for trainers that only need prompts.</summary>
    public static TrainingExample[] ByPrompt(IEnumerable<TrainingExample> examples) => [.. examples.DistinctBy(example => example.Conversation)];

    /// <summary>Writes JSON lines.</summary>
    public static Task<ExportResult> LinesAsync<T>(string path, IReadOnlyList<T> rows)
    {
        JsonLines.Write(path, rows);
        return Task.FromResult(new ExportResult([path], rows.Count, new Dictionary<string, int>()));
    }

    /// <summary>The columns of an origin, for rows to inherit; they come after a row's own.</summary>
    public abstract record WithOrigin([property: JsonIgnore] TrainingExample Example)
    {
        /// <summary>Id of the sample.</summary>
        [JsonPropertyOrder(10)]
        public string Id => Example.Id;

        /// <summary>Hash of the policy that the sample was written under.</summary>
        [JsonPropertyOrder(11)]
        public string? PolicyHash => Example.Provenance.PolicyHash;

        /// <summary>Category of the prompt.</summary>
        [JsonPropertyOrder(12)]
        public string? Category => Example.Category ?? Example.Provenance.Category;

        /// <summary>What the answer does.</summary>
        [JsonPropertyOrder(13)]
        public string? Action => Example.Action;

        /// <summary>The data set of the prompt.</summary>
        [JsonPropertyOrder(14)]
        public string? Source => Example.Source;

        /// <summary>The licence of that data set.</summary>
        [JsonPropertyOrder(15)]
        public string? Licence => Example.Licence;

        /// <summary>How the sample came to be.</summary>
        [JsonPropertyOrder(16)]
        public Provenance Provenance => Example.Provenance;
    }
}
