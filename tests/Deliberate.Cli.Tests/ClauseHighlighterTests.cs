using CsCheck;
using Deliberate.Cli.Interaction;
using Xunit;

namespace Deliberate.Cli.Tests;

public class ClauseHighlighterTests
{
    private static List<(string Text, bool IsCode)> Parts(params IEnumerable<string> pieces)
    {
        var highlighter = new ClauseHighlighter();
        var merged = new List<(string Text, bool IsCode)>();
        foreach (var piece in pieces)
            foreach (var part in highlighter.Add(piece)) Append(part);
        Append((highlighter.Finish(), false));
        return merged;

        void Append((string Text, bool IsCode) part)
        {
            if (part.Text.Length == 0) return;
            if (merged is [.., (_, false)] && !part.IsCode) merged[^1] = (merged[^1].Text + part.Text, false);
            else merged.Add(part);
        }
    }

    [Fact]
    public void Codes_in_brackets_stand_out_and_nothing_else()
    {
        Assert.Equal([("On theft, a story ", false), ("[T2]", true), (": comply.", false)], Parts("On theft, a story [T2]: comply."));
        Assert.Equal([("see ", false), ("[T2, S10]", true)], Parts("see [T2, S10]"));
        Assert.Equal([("[[", false), ("[T2]", true), ("]", false)], Parts("[[[T2]]"));
        Assert.Equal([("T2 [t2] [2] [] [a note] [T2", false)], Parts("T2 [t2] [2] [] [a note] [T2"));
    }

    [Fact]
    public void A_bracket_that_stays_open_holds_nothing_back_for_long()
    {
        var highlighter = new ClauseHighlighter();
        var text = "[" + new string('x', 200);
        Assert.Equal(text, string.Concat(highlighter.Add(text).Select(part => part.Text)));
    }

    [Fact]
    public void However_the_text_is_cut_the_parts_are_the_same()
    {
        var word = Gen.OneOf(Gen.OneOf("[", "]", "[T3]", "[T3, S1]", "T4", " ", "[x", "a story"), Gen.String[Gen.Char["ab[]T3, "], 0, 5]);
        Gen.Select(word.Array[0, 12], Gen.Int[1, 4].Array[1, 8]).Sample((words, sizes) =>
        {
            var text = string.Concat(words);
            var pieces = new List<string>();
            for (var (at, i) = (0, 0); at < text.Length; at += sizes[i++ % sizes.Length]) pieces.Add(text.Substring(at, Math.Min(sizes[i % sizes.Length], text.Length - at)));
            Assert.Equal(text, string.Concat(Parts(pieces).Select(part => part.Text)));
            Assert.Equal(Parts(text), Parts(pieces));
        }, iter: 2000);
    }
}
