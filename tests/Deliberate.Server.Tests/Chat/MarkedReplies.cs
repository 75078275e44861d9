using System.Globalization;
using Microsoft.Extensions.AI;

namespace Deliberate.Server.Tests.Chat;

/// <summary>A reply with a marker planted in its thought, which no answer, prompt or name has: "zq" and ten letters and digits.</summary>
internal sealed record MarkedReply(string Marker, Saying Saying, string? Answer)
{
    public const string Sign = "zq";

    /// <summary>Replies in every way in which models mark thoughts, whole and cut at any place, in pieces that end anywhere, and failures. The same for the same seed.</summary>
    public static MarkedReply Draw(Random random)
    {
        var marker = Sign + string.Create(CultureInfo.InvariantCulture, $"{random.NextInt64():x16}")[..10];
        var thought = $"{Words(random, 6)} {marker} {Words(random, 4)} {marker}";
        var answer = $"{Words(random, 5)}. {Words(random, 5)}.";
        var failure = random.Next(8) == 0 ? new InvalidOperationException($"cannot go on after: {thought}", new FormatException(thought)) : null;
        var style = random.Next(11);
        if (style == 0)
        {
            // Apart from the text, cut anywhere.
            var pieces = Cut(thought, random).Select(piece => (AIContent)new TextReasoningContent(piece)).ToList();
            var ends = random.Next(4) > 0;
            if (ends) pieces.AddRange(Cut(answer, random).Select(piece => new TextContent(piece)));
            pieces[0].AdditionalProperties = new() { ["reasoning"] = thought };
            pieces[0].RawRepresentation = thought;
            return new(marker, new(pieces) { Failure = failure, Finish = ends ? ChatFinishReason.Stop : ChatFinishReason.Length }, ends ? answer : "");
        }

        var (open, close, end) = style switch
        {
            1 => ("<think>", "</think>\n\n", ""),
            2 => ("<thinking>\n", "\n</thinking>", ""),
            3 => ("<thought>", "</thought>", ""),
            4 => ("<reasoning>", "</reasoning>", ""),
            5 => ("[THINK]", "[/THINK]", ""),
            6 => ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>", "<|return|>"),
            7 => ("", "</think>", ""),
            9 => ("<seed:think>", "</seed:think>\n", ""),
            10 => ("<|channel>thought\n", "<channel|>", ""),
            _ => ("analysis", "assistantfinal", ""),
        };
        // With a tag inside the thought, which ends it too early for readers who take the first.
        var inner = style is (> 0 and < 6) or > 8 && random.Next(4) == 0 ? $"{thought} {close.Trim()} {marker}" : thought;
        var text = $"{open}{inner}{close}{answer}{end}";
        // A thought without an opening mark is known by its closing one alone.
        var least = style is 7 or 8 ? text.Length : open.Length;
        var whole = style is 7 or 8 || random.Next(4) > 0 || inner != thought;
        if (!whole) text = text[..random.Next(least, text.LastIndexOf(marker, StringComparison.Ordinal) + marker.Length + 1)];
        return new(marker, new([.. Cut(text, random).Select(piece => new TextContent(piece))]) { Failure = failure, Finish = whole ? ChatFinishReason.Stop : ChatFinishReason.Length }, whole ? answer : "");
    }

    private static IEnumerable<string> Cut(string text, Random random)
    {
        var most = random.Next(3) switch { 0 => 1, 1 => 9, _ => text.Length };
        for (var at = 0; at < text.Length;)
        {
            var length = Math.Min(1 + random.Next(most), text.Length - at);
            yield return text.Substring(at, length);
            at += length;
        }
    }

    private static string Words(Random random, int count) => string.Join(' ', Enumerable.Range(0, count).Select(_ => Vocabulary[random.Next(Vocabulary.Length)]));

    private static readonly string[] Vocabulary = ["lamp", "river", "green", "seven", "door", "quick", "music", "paper", "window", "salt"];
}
