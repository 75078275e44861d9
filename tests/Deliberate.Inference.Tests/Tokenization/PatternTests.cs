using System.Text.RegularExpressions;
using CsCheck;
using Deliberate.Inference.Tokenization.Patterns;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public class PatternTests
{
    private static readonly string[] Published =
    [
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        @"(?:\p{L}\p{M}*)+?x|(?<=[ab])c|(?<!a)b{2,3}|(?>a*)b|a(b|ba)*a|[一-龥]+",
    ];

    // No letters whose case leads out of ASCII, and no surrogates: there .NET and Oniguruma agree.
    private static readonly Gen<string> Plain = Gen.OneOf(Gen.OneOf("a", "b", "c", "x", "ab", "A", "é", "中", "1", "12345", " ", "  ", "\n", "\r\n", "'s", "'LL", "!", "_", "\u0301", "\u00A0", "ǅ")).Array[0, 25].Select(string.Concat);

    [Fact]
    public void Published_patterns_match_as_in_dotnet_where_the_two_agree()
    {
        foreach (var pattern in Published)
        {
            var (own, other) = (Pattern.Parse(pattern), new Regex(pattern, RegexOptions.CultureInvariant));
            Plain.Sample(text => Assert.Equal(other.Matches(text).Select(match => match.Value), Find(own, text)), iter: 1000);
        }
    }

    [Theory]
    [InlineData(@"\p{L}+", "a𝕌𠀀b 😀", "a𝕌𠀀b")] // letters beyond U+FFFF
    [InlineData(@"[^\s\p{L}]+", "😀👍🏽", "😀👍🏽")]
    [InlineData(@"[\x{1F600}-\x{1F64F}]", "a😀b", "😀")]
    [InlineData(@".", "😀", "😀")]
    [InlineData(@"\p{N}{1,3}+", "12345", "12345")] // after an interval, '+' is one more quantifier
    [InlineData(@"a?+a", "a", "")]
    [InlineData(@"a++b", "aab", "aab")]
    [InlineData(@"a{,2}", "aaa", "aa|a")]
    [InlineData(@"a{", "a{", "a{")]
    [InlineData(@"(?i:'s)", "'s'S'ſ", "'s|'S|'ſ")] // the long s is an s
    [InlineData(@"(?i)k", "kK\u212A", "k|K|\u212A")]
    [InlineData(@"a(?i)b|C", "aBac", "aB|ac")]
    [InlineData(@"[a-z&&[^aeiou]]+", "abcde", "bcd")]
    [InlineData(@"[[:space:]x]+", "a x\tb", " x\t")]
    [InlineData(@"[^[:punct:]]+", "a.b", "a|b")]
    [InlineData(@"[]a]+", "a]b", "a]")]
    [InlineData(@"\p{^L}+|\P{^Nd}", "a-1", "-1")]
    [InlineData(@"\p{Han}+", "a中𠀀", "中𠀀")]
    [InlineData(@"\p{Uppercase_Letter}", "aB", "B")]
    [InlineData(@"\h+", "xyzAf09g", "Af09")]
    [InlineData(@"^b$", "a\nb\nc", "b")] // lines, always
    [InlineData(@"(?m:a.b)", "a\nb", "a\nb")] // m is what others call s
    [InlineData(@"\bb\b", "ab b", "b")]
    [InlineData(@"(?<=a|bc)x", "ax bcx x", "x|x")]
    [InlineData(@"(?<!😀)x", "😀x ax", "x")]
    [InlineData(@"(a*)*b|c", "aac", "c")]
    [InlineData(@"(?#note)a", "a", "a")]
    [InlineData(@"x*", "axb", "|x|")]
    public void Follows_Oniguruma(string pattern, string text, string expected) =>
        Assert.Equal(expected, string.Join('|', Find(Pattern.Parse(pattern), text)));

    [Theory]
    [InlineData(@"(a)\1", "\\1")]
    [InlineData(@"\X", "\\X")]
    [InlineData(@"\p{Klingon}", "Klingon")]
    [InlineData(@"[[:alpha:]]", "alpha")]
    [InlineData(@"(?<=a*)b", "varying")]
    [InlineData(@"(?(1)a|b)", "(?(")]
    [InlineData(@"(", "')'")]
    [InlineData(@")", "')'")]
    [InlineData(@"[a", "']'")]
    [InlineData(@"*", "repeats nothing")]
    [InlineData(@"a{2,1}", "reversed")]
    [InlineData(@"[b-a]", "reversed")]
    [InlineData(@"\xE2", "bytes")]
    [InlineData(@"a\", "ends")]
    [InlineData(@"((a{1000}){1000}){1000}", "too much")]
    [InlineData(@"a{1001}", "1000")]
    public void Names_what_it_does_not_read(string pattern, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Pattern.Parse(pattern)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(@"(a+)+b", 40)]
    [InlineData(@"(a|a)*b", 40)]
    [InlineData(@"(?:a?){40}a{40}b", 40)]
    [InlineData(@"a*a*a*a*b", 2000)]
    [InlineData(@".*x", 200_000)]
    public void Backtracking_without_end_is_an_error(string pattern, int length) =>
        Assert.Contains("backtracks", Assert.Throws<InvalidDataException>(() => Find(Pattern.Parse(pattern), new string('a', length))).Message, StringComparison.Ordinal);

    [Fact]
    public void Thousands_of_choices_and_classes_fit_or_are_refused()
    {
        Assert.Single(Find(Pattern.Parse(string.Join('|', Enumerable.Range(0, 6000).Select(at => (char)(0x4E00 + at)))), "\u4E05"));
        Assert.Throws<InvalidDataException>(() => Pattern.Parse(string.Concat(Enumerable.Repeat("[a]", 5000))));
    }

    [Fact]
    public void Groups_without_end_are_refused() =>
        Assert.Throws<InvalidDataException>(() => Pattern.Parse(new string('(', 10_000)));

    [Fact]
    public void Any_pattern_is_read_or_refused() =>
        Gen.OneOf("a", "b", "(", ")", "[", "]", "^", "-", "|", "*", "+", "?", "{1,2}", "{", "\\", "p{L}", "\\s", "(?:", "(?=", "(?<!", "(?i)", "&&", "[:space:]", "😀", ".", "$", "\\b").Array[0, 12].Select(string.Concat).Sample(pattern =>
        {
            try
            {
                Find(Pattern.Parse(pattern), "ab a😀b\naaab");
            }
            catch (InvalidDataException error)
            {
                Assert.DoesNotContain('\n', error.Message);
            }
        }, iter: 5000);

    private static string[] Find(Pattern pattern, string text)
    {
        var matches = new List<(int Start, int End)>();
        pattern.Find(text, matches);
        return [.. matches.Select(match => text[match.Start..match.End])];
    }
}
