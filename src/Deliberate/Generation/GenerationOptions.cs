namespace Deliberate.Generation;

/// <summary>How samples are drawn.</summary>
/// <param name="SamplesPerPrompt">Samples of each prompt, at least 1.</param>
/// <param name="Temperature">Sampling temperature.</param>
/// <param name="MaxTokens">Most tokens of a completion, thought included; null leaves it to the model.</param>
/// <param name="Seed">Seed from which every call's own is derived.</param>
/// <param name="Concurrency">Most calls in flight. The default leaves it to the client to batch or to limit.</param>
/// <param name="ThinkingOpened">True when the model's chat template ends inside the thought, so that completions begin with it untagged.</param>
public sealed record GenerationOptions(
    int SamplesPerPrompt = 4, double Temperature = 1, int? MaxTokens = null, int Seed = 0, int Concurrency = 4096, bool ThinkingOpened = false);
