using CsCheck;
using Deliberate.Inference.Tokenization.Unicode;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public class NormalizationTests
{
    private static readonly Gen<string> Texts = Gen.OneOf("a", "e", "\u0301", "\u0323", "\u0307", "é", "Å", "\u212B", "ﬁ", "½", "한", "\u1112", "\u1161", "\u11AB", "ς", "ｱ", "\u0958", "\u0344", "𝕌", "😀", "\u2126", "\uFDFA", "\U0001D15E", "\u0BC6", "\u0BBE").Array[0, 10].Select(string.Concat);

    [Theory]
    [InlineData("e\u0301", "é", "e\u0301", "é", "e\u0301")]
    [InlineData("\u212B", "Å", "A\u030A", "Å", "A\u030A")]
    [InlineData("ﬁ½①", "ﬁ½①", "ﬁ½①", "fi1⁄21", "fi1⁄21")]
    [InlineData("\u1112\u1161\u11AB", "한", "\u1112\u1161\u11AB", "한", "\u1112\u1161\u11AB")]
    [InlineData("\u0958", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C")] // excluded from composition
    [InlineData("a\u0301\u0323", "ạ\u0301", "a\u0323\u0301", "ạ\u0301", "a\u0323\u0301")] // marks in order
    [InlineData("𝕌", "𝕌", "𝕌", "U", "U")]
    [InlineData("plain", "plain", "plain", "plain", "plain")]
    public void Gives_the_four_forms(string text, string nfc, string nfd, string nfkc, string nfkd)
    {
        Assert.Equal(nfc, Normalization.Apply(text, compatible: false, compose: true));
        Assert.Equal(nfd, Normalization.Apply(text, compatible: false, compose: false));
        Assert.Equal(nfkc, Normalization.Apply(text, compatible: true, compose: true));
        Assert.Equal(nfkd, Normalization.Apply(text, compatible: true, compose: false));
    }

    [Fact]
    public void Forms_lead_to_each_other() => Texts.Sample(text =>
    {
        foreach (var compatible in (bool[])[false, true])
        {
            var (composed, decomposed) = (Normalization.Apply(text, compatible, compose: true), Normalization.Apply(text, compatible, compose: false));
            Assert.Equal(composed, Normalization.Apply(decomposed, compatible, compose: true));
            Assert.Equal(decomposed, Normalization.Apply(composed, compatible, compose: false));
            Assert.Equal(composed, Normalization.Apply(composed, compatible, compose: true));
        }
    });
}
