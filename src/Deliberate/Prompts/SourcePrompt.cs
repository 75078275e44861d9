using Deliberate.Conversations;

namespace Deliberate.Prompts;

/// <summary>A prompt with what its file says of it. Immutable.</summary>
/// <param name="Prompt">
/// The prompt. Its category is the first of <paramref name="Categories"/>, in the file's words; its tags are "file", and "label" and "source" where the
/// file has them.
/// </param>
/// <param name="Categories">The categories that the file gives; empty when it gives none.</param>
/// <param name="Label">Another label that the file gives, or null.</param>
/// <param name="File">The file, as it was named.</param>
/// <param name="Row">Its line in a text file, or else its number among the rows, from 1.</param>
/// <param name="Place">File and row as messages name them: "a.jsonl:3", "a.parquet: row 3".</param>
/// <param name="SplitKey">Where the prompt was made from another: the key of that one, on whose side of a split it belongs (<see cref="HashSplit"/>).</param>
/// <param name="Given">The thought and answer that the file gives, or null.</param>
public sealed record SourcePrompt(Prompt Prompt, IReadOnlyList<string> Categories, string? Label, string File, int Row, string Place, string? SplitKey = null, Completion? Given = null);
