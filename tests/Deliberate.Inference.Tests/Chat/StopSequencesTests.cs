using CsCheck;
using Deliberate.Conversations;
using Deliberate.Inference.Chat;
using Xunit;

namespace Deliberate.Inference.Tests.Chat;

public class StopSequencesTests
{
    // Few characters, so that beginnings of sequences overlap.
    private static readonly Gen<string> Text = Gen.Char["ab."].Array[0, 30].Select(characters => new string(characters));
    private static readonly Gen<string[]> Sequences = Gen.Char["ab."].Array[1, 4].Select(characters => new string(characters)).Array[0, 3];

    [Fact]
    public void The_cut_is_where_the_first_sequence_is_complete_however_the_text_comes() => Gen.Select(Text, Sequences, Gen.Int[1, 5].Array[30]).Sample((text, sequences, pieces) =>
    {
        // The shortest beginning of the text that holds a sequence, up to the first that it holds.
        var holds = Enumerable.Range(0, text.Length + 1).Select(length => text[..length]).FirstOrDefault(beginning => sequences.Any(sequence => beginning.Contains(sequence, StringComparison.Ordinal)));
        var expected = holds is null ? text : holds[..sequences.Select(sequence => holds.IndexOf(sequence, StringComparison.Ordinal)).Where(at => at >= 0).Min()];
        var (one, stops, shown, at) = (new StopSequences(sequences), new StopSequences(sequences), "", 0);
        for (var i = 0; at < text.Length; at += pieces[i++])
        {
            var parts = stops.Add([new(false, text[at..Math.Min(at + pieces[i], text.Length)])]);
            shown += string.Concat(parts.Select(part => part.Text));
            Assert.StartsWith(shown, text, StringComparison.Ordinal);
        }

        shown += string.Concat(stops.Finish().Select(part => part.Text));
        foreach (var character in text) one.Add(character.ToString());
        Assert.Equal(holds is not null, one.Found);
        Assert.Equal(holds is not null, stops.Found);
        if (pieces.All(piece => piece == 1) || holds is null) Assert.Equal(expected, shown);
        // A longer piece may complete two sequences at once; then the one that begins first counts.
        Assert.StartsWith(shown, expected, StringComparison.Ordinal);
    });

    [Fact]
    public void Thoughts_pass()
    {
        var stops = new StopSequences(["end"]);
        Assert.Equal([new SplitText(true, "the end is")], stops.Add([new SplitText(true, "the end is")]));
        Assert.Equal([new SplitText(false, "near ")], stops.Add([new SplitText(false, "near en")]));
        Assert.Empty(stops.Add([new SplitText(false, "d.")]));
        Assert.True(stops.Found);
        Assert.Empty(stops.Finish());
    }
}
