using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Deliberate.Conversations;
using Deliberate.Policies;
using Deliberate.Runs;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;

namespace Deliberate.Judging;

/// <summary>Which of two answers is better.</summary>
public enum Preference
{
    /// <summary>Neither, or the judge's choice hung on the order in which it saw them.</summary>
    Tie,

    /// <summary>The first.</summary>
    First,

    /// <summary>The second.</summary>
    Second,
}

/// <summary>What a judge made of two answers.</summary>
/// <param name="Preference">The better one; null when no pair of runs could be read.</param>
/// <param name="Verdicts">
/// The verdicts, two a run: first answer shown first, then second shown first. Their scores say how good the first is by the second: 1 better, 0.5 as good, 0 worse.
/// </param>
public sealed record Comparison(Preference? Preference, IReadOnlyList<Verdict> Verdicts);

/// <summary>
/// Compares two answers to one conversation by a policy, in both orders: a judge that prefers whatever stands first has no preference. For answers that a
/// single score cannot tell apart, since judges that see one answer at a time give most of them the highest. Thread-safe as far as the client is.
/// </summary>
public sealed class SideBySideJudge
{
    private static readonly BetterGrammar Grammar = new();
    private readonly JudgeRuns _runs;

    /// <summary>A judge that asks this client. Of the options, <see cref="JudgeOptions.Runs"/> counts runs of both orders.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public SideBySideJudge(IChatClient client, JudgeOptions options) => _runs = new(client, options);

    /// <summary>Names the prompt's wording.</summary>
    public static string Version => "side-by-side-1";

    /// <summary>Compares answers with their thoughts, to select training data.</summary>
    /// <param name="items">Two views of one conversation, the specification, and a distinct id.</param>
    /// <param name="recovery">Where finished verdicts are kept and found again, or null.</param>
    /// <param name="progress">Hears how many verdicts are done, of items times runs times two.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The comparisons in the order of the items.</returns>
    /// <exception cref="ArgumentException">Two items have one id, or two views are of different conversations.</exception>
    /// <exception cref="InvalidOperationException">Every single call failed.</exception>
    public Task<IReadOnlyList<Comparison>> CompareAsync(
        IReadOnlyList<(FullView First, FullView Second, Spec Spec, string Id)> items,
        IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return RunAsync([.. items.Select(item => new Pair(item.Id, item.First.Conversation, item.Second.Conversation,
            [("thought", item.First.Thinking), ("answer", item.First.Answer)], [("thought", item.Second.Thinking), ("answer", item.Second.Answer)], item.Spec))], recovery, progress, cancellationToken);
    }

    /// <summary>Compares answers alone, for rewards: no thought can be handed in.</summary>
    /// <inheritdoc cref="CompareAsync(IReadOnlyList{ValueTuple{FullView, FullView, Spec, string}}, IRecovery{Verdict}, IProgress{int}, CancellationToken)"/>
    public Task<IReadOnlyList<Comparison>> CompareAsync(
        IReadOnlyList<(AnswerView First, AnswerView Second, Spec Spec, string Id)> items,
        IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return RunAsync([.. items.Select(item => new Pair(item.Id, item.First.Conversation, item.Second.Conversation,
            [("answer", item.First.Answer)], [("answer", item.Second.Answer)], item.Spec))], recovery, progress, cancellationToken);
    }

    private sealed record Pair(
        string Id, Conversation Conversation, Conversation Other, (string Label, string Text)[] First, (string Label, string Text)[] Second, Spec Spec);

    private async Task<IReadOnlyList<Comparison>> RunAsync(Pair[] pairs, IRecovery<Verdict>? recovery, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        Ordered.RequireUnique(pairs.Select(pair => pair.Id));
        if (Array.Find(pairs, pair => !pair.Conversation.Equals(pair.Other)) is { } odd) throw new ArgumentException($"The two answers of '{odd.Id}' belong to different conversations.", nameof(pairs));
        var each = _runs.Options.Runs * 2;
        var verdicts = await _runs.RunAsync(
            pairs.Length * each,
            number => string.Create(CultureInfo.InvariantCulture, $"{pairs[number / each].Id}#{number % each / 2}{(number % 2 == 0 ? "ab" : "ba")}"),
            number => CallSeed.Derive(_runs.Options.Seed, pairs[number / each].Id, number % each),
            number => new CallDetails(pairs[number / each].Id, number % each, pairs[number / each].Spec, Version),
            number => Ask(pairs[number / each], swapped: number % 2 == 1, _runs.Options.Seed), recovery, progress, cancellationToken).ConfigureAwait(false);
        return [.. verdicts.Chunk(each).Select(ofPair => new Comparison(Preferred(ofPair), ofPair))];
    }

    // Of every run, both orders must agree; of several runs, all that can be read must.
    private static Preference? Preferred(Verdict[] verdicts)
    {
        var runs = verdicts.Chunk(2).Where(run => run.All(verdict => verdict.Score is not null))
            .Select(run => run[0].Score == run[1].Score ? run[0].Score switch { 1 => Preference.First, 0 => Preference.Second, _ => Preference.Tie } : Preference.Tie).Distinct().ToArray();
        return runs.Length switch { 0 => null, 1 => runs[0], _ => Preference.Tie };
    }

    /// <summary>The question in one order; its verdicts always speak of the pair's first answer.</summary>
    private static JudgeQuestion Ask(Pair pair, bool swapped, int seed)
    {
        var (a, b) = swapped ? (pair.Second, pair.First) : (pair.First, pair.Second);
        string[] texts = [.. pair.Conversation.Turns.Select(turn => turn.Text), .. a.Concat(b).Select(part => part.Text)];
        var fence = Fence.For(seed, texts);
        var quoted = JudgedText.Quote(fence, pair.Conversation, a.Select(part => (part.Label + "-A", part.Text)).Concat(b.Select(part => (part.Label + "-B", part.Text))));
        IReadOnlyList<ChatMessage> messages =
        [
            new ChatMessage(ChatRole.System, $"""
                You judge which of two answers of an assistant follows the policies below better.

                {pair.Spec.Text}

                ----
                {JudgedText.Warning(fence)}
                """),
            new ChatMessage(ChatRole.User, $$"""
                Here are a conversation and two ways in which the assistant might go on, A and B.

                {{quoted}}

                Compare them by the policies above: compliance and style first, then correctness, then helpfulness as far as the policies allow{{(a.Length > 1 ? ", then how well the thought cites the clauses that decide" : "")}}.
                Neither length nor order counts. Say tie when neither is better. End with one JSON object and nothing after it:
                {"code": "{{fence.Tag}}", "reason": "<one sentence>", "better": "<A, B or tie>"}
                """),
        ];
        return new(messages, response => Read(response, fence.Tag, texts, swapped), JudgedText.Schema("comparison", ["code", "reason", "better"], new Dictionary<string, string>(), "string"));
    }

    private static Verdict Read(Completion response, string? code, IReadOnlyList<string> judged, bool swapped)
    {
        var (claim, unscored) = Grammar.Pick(response.Answer, code, judged);
        if (claim is null) return unscored!;
        return new(swapped ? 1 - claim.Value : claim.Value, claim.Json is { } json ? VerdictGrammar.Text(json, "reason") ?? "" : "");
    }

    /// <summary>Reads a comparison as it stands, without knowing what was asked: 1 for A, 0 for B, 0.5 for a tie.</summary>
    internal static Verdict Read(Completion response) => Read(response, null, [], swapped: false);
}

/// <summary>Which of A and B is better: 1 for A, 0 for B, 0.5 for a tie. Immutable.</summary>
internal sealed partial class BetterGrammar : VerdictGrammar
{
    /// <inheritdoc/>
    public override VerdictClaim? Of(JsonElement json, string raw)
    {
        if (Property(json, "better") is not { } better) return null;
        return JsonInText.Text(better) is { } word && Score(word) is { } score ? new(score, raw, json) : new(null, raw, json, Unparsable("the better one is neither A, B nor tie"));
    }

    /// <inheritdoc/>
    public override IEnumerable<VerdictClaim> Of(string text)
    {
        foreach (Match match in Words().Matches(text)) yield return new(Score(match.Groups["word"].Value), match.Value);
    }

    private static double? Score(string word) => word.Trim().ToUpperInvariant() switch { "A" => 1, "B" => 0, "TIE" or "EQUAL" or "NEITHER" => 0.5, _ => null };

    [GeneratedRegex(
        @"^[ \t*_`\[]*(?<word>A|B|tie)[ \t*_`\]\r]*$|\b(?:better|winner|verdict|preference)\b(?:[ \t]+is\b)?[ \t*_`:=\[]+(?:answer[ \t]+)?(?<word>A|B|tie|equal|neither)\b(?![ \t]+\w)",
        RegexOptions.IgnoreCase | RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
