using Deliberate.Conversations;
using Deliberate.Server.Report;

namespace Deliberate.Server.Dashboard;

/// <summary>How long texts are, in words: what is told of a text that is folded.</summary>
internal static class TextLength
{
    /// <summary>"1 word", "12 words".</summary>
    public static string Of(string text) => Words(ThoughtView.WordsOf(text));

    /// <summary>"12 words"; of several turns "3 turns, 12 words".</summary>
    public static string Of(IReadOnlyList<Turn> turns) =>
        $"{(turns.Count == 1 ? "" : $"{Numbers.Count(turns.Count)} turns, ")}{Words(turns.Sum(turn => ThoughtView.WordsOf(turn.Text)))}";

    private static string Words(int count) => $"{Numbers.Count(count)} {(count == 1 ? "word" : "words")}";
}
