namespace Deliberate.Conversations;

/// <summary>What a model wrote: its hidden thought and its answer.</summary>
/// <param name="Thinking">The chain of thought; empty when there is none.</param>
/// <param name="Answer">What the user is shown; empty when the model never got to it.</param>
/// <param name="Truncated">True when the text was cut at the token limit or the thought never ended.</param>
public sealed record Completion(string Thinking, string Answer, bool Truncated = false);
