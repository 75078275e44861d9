namespace Deliberate.Prompts;

/// <summary>How a model is asked for labels, contrast prompts or summaries.</summary>
/// <param name="Temperature">Sampling temperature.</param>
/// <param name="MaxTokens">Most tokens of a reply; null leaves it to the model.</param>
/// <param name="Timeout">How long to wait for a reply, time in the client's queue included; null: as long as it takes.</param>
/// <param name="Seed">Seed from which every call's own is derived.</param>
/// <param name="Concurrency">Most calls in flight. The default leaves it to the client to batch or to limit.</param>
/// <param name="ThinkingOpened">True when the model's chat template ends inside the thought.</param>
public sealed record AskOptions(double Temperature = 0, int? MaxTokens = null, TimeSpan? Timeout = null, int Seed = 0, int Concurrency = 4096, bool ThinkingOpened = false);
