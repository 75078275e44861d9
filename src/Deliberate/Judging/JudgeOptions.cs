namespace Deliberate.Judging;

/// <summary>How a judge is asked.</summary>
/// <param name="Runs">Runs on each item, at least 1; the lowest score counts.</param>
/// <param name="Temperature">Sampling temperature; above 0, or all runs are the same.</param>
/// <param name="MaxTokens">Most tokens of a response; null leaves it to the model.</param>
/// <param name="Timeout">How long to wait for a response, time in the client's queue included; null: as long as it takes.</param>
/// <param name="RequireAll">Whether an item needs a score from every run.</param>
/// <param name="Seed">Seed from which every call's own is derived.</param>
/// <param name="Concurrency">Most calls in flight. The default leaves it to the client to batch or to limit.</param>
/// <param name="ThinkingOpened">True when the judge's chat template ends inside the thought.</param>
/// <param name="Structured">Whether to send the format's JSON schema along. Only for clients that support it: others ignore it at best. Responses are read tolerantly either way.</param>
public sealed record JudgeOptions(
    int Runs = 4, double Temperature = 1, int? MaxTokens = null, TimeSpan? Timeout = null, bool RequireAll = false, int Seed = 0, int Concurrency = 4096, bool ThinkingOpened = false, bool Structured = false);
