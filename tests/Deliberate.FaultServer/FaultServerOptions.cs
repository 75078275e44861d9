using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Deliberate.Faults;

/// <summary>What goes wrong with a call.</summary>
public enum Fault
{
    /// <summary>Nothing: it is answered.</summary>
    None,

    /// <summary>429, with Retry-After.</summary>
    TooManyRequests,

    /// <summary>503, with Retry-After.</summary>
    Unavailable,

    /// <summary>500 with an error in JSON.</summary>
    ServerError,

    /// <summary>The connection is reset before a reply begins.</summary>
    Reset,

    /// <summary>200 with something that is no JSON.</summary>
    Garbage,

    /// <summary>200 with JSON of another shape.</summary>
    WrongShape,

    /// <summary>200 with the first half of a reply.</summary>
    TruncatedBody,

    /// <summary>A reply that comes so slowly that it never ends: it stays open until the client leaves.</summary>
    SlowDrip,
}

/// <summary>The interface that was called.</summary>
public enum FaultApi
{
    /// <summary>OpenAI's chat completions.</summary>
    ChatCompletions,

    /// <summary>OpenAI's Responses.</summary>
    Responses,

    /// <summary>Ollama's chat.</summary>
    Ollama,
}

/// <summary>How chat completions mark the thought. The other interfaces have one way each.</summary>
public enum ReasoningDialect
{
    /// <summary>In the field <c>reasoning</c>.</summary>
    Reasoning,

    /// <summary>In the field <c>reasoning_content</c>.</summary>
    ReasoningContent,

    /// <summary>In the list <c>reasoning_details</c>.</summary>
    ReasoningDetails,

    /// <summary>In tags before the answer.</summary>
    Tags,

    /// <summary>Before a closing tag whose opening one is in the prompt.</summary>
    ClosingTag,

    /// <summary>In the channels of the harmony format.</summary>
    Harmony,

    /// <summary>As a part of the content.</summary>
    ContentParts,
}

/// <summary>What the model writes.</summary>
/// <param name="Thinking">The thought; empty for none.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Finish">Why it stops.</param>
public sealed record ScriptedReply(string Thinking, string Answer, string Finish = "stop");

/// <summary>A call as the server sees it.</summary>
/// <param name="Api">The interface.</param>
/// <param name="Key">Names what is asked: equal for equal bodies, streamed or not.</param>
/// <param name="Attempt">How often this key was asked, this time included.</param>
/// <param name="Body">The request's body.</param>
/// <param name="Authorization">The header with the key, or null.</param>
public sealed record FaultRequest(FaultApi Api, string Key, int Attempt, JsonObject Body, string? Authorization)
{
    /// <summary>The last message's text.</summary>
    public string Asked => (string?)((JsonArray?)(Body["messages"] ?? Body["input"]))?.LastOrDefault()?["content"] ?? "";
}

/// <summary>How the server behaves.</summary>
public sealed record FaultServerOptions
{
    /// <summary>What goes wrong with a call; by default nothing.</summary>
    public Func<FaultRequest, Fault> Plan { get; init; } = _ => Fault.None;

    /// <summary>What the model answers; by default a thought and an answer that depend on what is asked and on nothing else.</summary>
    public Func<FaultRequest, ScriptedReply> Answer { get; init; } = DefaultAnswer;

    /// <summary>Answers in <see cref="Answer"/>'s place, in its own time: for a real model behind the server.</summary>
    public Func<FaultRequest, CancellationToken, Task<ScriptedReply>>? AnswerAsync { get; init; }

    /// <summary>How chat completions mark the thought.</summary>
    public ReasoningDialect Dialect { get; init; }

    /// <summary>Time before a reply begins.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>The value of Retry-After on 429 and 503; null leaves it out.</summary>
    public string? RetryAfter { get; init; } = "0";

    /// <summary>The key that calls must bear; null takes any.</summary>
    public string? RequiredKey { get; init; }

    /// <summary>Characters in a piece of a stream.</summary>
    public int PieceLength { get; init; } = 7;

    /// <summary>A plan by which so large a share of calls fails in every way, the same for the same calls at every run. A call fails at most <paramref name="most"/> times in a row.</summary>
    public static Func<FaultRequest, Fault> Random(double share, int seed, int most = 3, params Fault[] kinds)
    {
        if (kinds.Length == 0) kinds = [.. Enum.GetValues<Fault>().Where(fault => fault != Fault.None)];
        return request =>
        {
            if (request.Attempt > most) return Fault.None;
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed} {request.Attempt} {request.Key}"));
            return BitConverter.ToUInt32(hash) / (double)uint.MaxValue >= share ? Fault.None : kinds[hash[4] % kinds.Length];
        };
    }

    private static ScriptedReply DefaultAnswer(FaultRequest request) =>
        new($"I was asked '{request.Asked}' and think of {request.Key[..6]}.", $"The answer to '{request.Asked}' is {request.Key[..6]}.");
}
