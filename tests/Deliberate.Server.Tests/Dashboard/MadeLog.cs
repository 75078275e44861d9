using System.Globalization;
using Deliberate.Auditing;
using Deliberate.Conversations;

namespace Deliberate.Server.Tests.Dashboard;

/// <summary>An audit log of mild made-up exchanges, one a minute.</summary>
internal static class MadeLog
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    /// <summary>Exchange number N: callers, models and outcomes take turns, one in five cites a clause that is not there.</summary>
    public static AuditExchange Exchange(int number, string? policyHash)
    {
        var outcome = number % 8 == 0 ? AuditOutcome.Failed : number % 8 == 3 ? AuditOutcome.Truncated : AuditOutcome.Answered;
        return new()
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"chatcmpl-{number:D24}"),
            Caller = number % 3 == 0 ? "0a1b2c3d" : "4e5f6a7b",
            Begun = Start.AddMinutes(number),
            Ended = Start.AddMinutes(number).AddSeconds(2.5),
            Model = number % 2 == 0 ? "base" : "sft+rl",
            Fingerprint = "fingerprint-of-the-model",
            PolicyHash = policyHash,
            Category = number % 4 == 0 ? null : "theft",
            Citations = number % 5 == 0 ? [new("T1", true), new("T9", false)] : [new("T3", true)],
            Outcome = outcome,
            InputTokens = 40 + number,
            OutputTokens = 1000 + number,
            ReasoningTokens = number % 2 == 0 ? null : 12,
            ThinkingShown = number % 6 == 0,
            Conversation = [new(Role.User, $"asked before {number}"), new(Role.Assistant, $"answered before {number}"), new(Role.User, $"how do i pick a <b>lock</b>, number {number}")],
            Thinking = $"{MadeRuns.Marker} [T3] speaks of {number}, and [T9] is made up.",
            Answer = outcome == AuditOutcome.Failed ? "" : $"Here is what was answered to {number}.",
            Error = outcome == AuditOutcome.Failed ? $"the model said: broken {number}" : null,
        };
    }

    public static async Task WriteAsync(string folder, int count, string? policyHash = null, AuditOptions? options = null)
    {
        await using var log = AuditLog.Open(folder, options);
        foreach (var numbers in Enumerable.Range(1, count).Chunk(10_000)) await Task.WhenAll(numbers.Select(number => log.AppendAsync(Exchange(number, policyHash))));
    }
}
