using CsCheck;
using Deliberate.Inference.Tokenization;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public class BpeTokenizerTests
{
    private static readonly BpeTokenizer Tokenizer = Tiny.Tokenizer;

    // Letters, signs, whole words, control tokens, white space, other scripts, emoji and halves of emoji.
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String,
        Gen.OneOf("a", " a robbery", " a", "the man", "<|end|>", "</think>", "<think", " [T3]", " [T", "  ", "\n\n", "é", "漢字", "😀", "\uD83D", "\uDE00", "𝐀", "7", "'s", "\0").Array[0, 12].Select(string.Concat));

    [Fact]
    public void Decoding_gives_back_any_text_with_lone_surrogates_replaced() =>
        Texts.Sample(text => Assert.Equal(Tiny.Valid(text), Tokenizer.Decode(Tokenizer.Encode(text))));

    [Fact]
    public void Text_never_becomes_a_control_token() =>
        Texts.Sample(text => Assert.DoesNotContain(Tokenizer.Encode(text), Tokenizer.IsSpecial));

    [Fact]
    public void Control_tokens_are_read_and_written_where_that_is_asked_for()
    {
        var tokens = Tokenizer.Encode("<|user|>hello<|end|>", allowSpecial: true);
        Assert.Equal((Tokenizer.TokenId("<|user|>"), Tokenizer.TokenId("<|end|>")), (tokens[0], tokens[^1]));
        Assert.Equal("hello", Tokenizer.Decode(tokens));
        Assert.Equal("<|user|>hello<|end|>", Tokenizer.Decode(tokens, skipSpecial: false));
    }

    [Fact]
    public void An_added_token_can_take_another_text_and_keeps_its_id()
    {
        var renamed = Tokenizer.Rename(new Dictionary<string, string> { [" a robbery"] = " [HK1" });
        Assert.Equal([Tokenizer.TokenId(" a robbery")], renamed.Encode(" [HK1"));
        Assert.Equal(" [HK1", renamed.Decode([Tokenizer.TokenId(" a robbery")]));
        Assert.True(renamed.Encode(" a robbery").Length > 1);
        Assert.Same(Tokenizer, Tokenizer.Rename(new Dictionary<string, string>()));
    }

    [Fact]
    public void What_is_no_plain_added_token_cannot_be_renamed_and_no_text_can_be_given_twice()
    {
        Assert.Throws<ArgumentException>(() => Tokenizer.Rename(new Dictionary<string, string> { ["nowhere"] = "x" }));
        Assert.Throws<ArgumentException>(() => Tokenizer.Rename(new Dictionary<string, string> { ["<|end|>"] = "x" }));
        Assert.Throws<ArgumentException>(() => Tokenizer.Rename(new Dictionary<string, string> { [" a robbery"] = " a" }));
    }

    [Fact]
    public void The_longest_whole_word_is_taken()
    {
        Assert.Contains(Tokenizer.TokenId(" a robbery"), Tokenizer.Encode("of a robbery"));
        Assert.Contains(Tokenizer.TokenId(" a"), Tokenizer.Encode("of a robber"));
        Assert.DoesNotContain(Tokenizer.TokenId(" a"), Tokenizer.Encode("of a robbery"));
        Assert.Equal([Tokenizer.TokenId(" [T3]")], Tokenizer.Encode(" [T3]"));
        Assert.DoesNotContain(Tokenizer.TokenId(" [T3]"), Tokenizer.Encode(" [T3"));
    }

    [Fact]
    public void Frequent_words_are_one_token() => Assert.Single(Tokenizer.Encode(" man"));

    [Fact]
    public void Words_of_any_length_are_joined_as_short_ones_are() =>
        Gen.OneOf("man", "the", "ma", "n", "t", "h", "story", "x", "eeee", "hill").Array[1, 80].Select(string.Concat).Sample(word => Assert.Equal(Naive(word), Tokenizer.Encode(word)), iter: 300);

    [Fact]
    public void A_word_of_a_hundred_thousand_letters_is_no_trouble()
    {
        var word = string.Concat(Enumerable.Repeat("manthe", 20_000));
        Assert.Equal(word, Tokenizer.Decode(Tokenizer.Encode(word)));
    }

    [Fact]
    public void Encoding_is_the_same_on_many_threads()
    {
        var texts = Enumerable.Range(0, 200).Select(i => $"the man {i} and a robbery of {i * 37} hills").ToArray();
        var expected = texts.Select(text => string.Join(' ', Tokenizer.Encode(text))).ToArray();
        var actual = new string[texts.Length];
        Parallel.For(0, texts.Length, i => actual[i] = string.Join(' ', Tokenizer.Encode(texts[i])));
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(300)]
    [InlineData(int.MaxValue)]
    public void Refuses_to_decode_an_id_outside_the_vocabulary(int token) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.Decode([token]));

    [Fact]
    public void Refuses_an_unknown_token_by_name() =>
        Assert.Contains("<|nobody|>", Assert.Throws<KeyNotFoundException>(() => Tokenizer.TokenId("<|nobody|>")).Message, StringComparison.Ordinal);

    [Fact]
    public void Training_depends_on_its_corpus_alone()
    {
        using var folder = new TemporaryFolder();
        string[] corpus = ["so it goes and goes", "so what", "it was so good, so it was"];
        foreach (var name in (string[])["one", "two"]) BpeTrainer.Train(corpus, 300, ["<x>"], [" so"]).Save(folder.File(name));
        Assert.Equal(File.ReadAllBytes(folder.File("one")), File.ReadAllBytes(folder.File("two")));
        BpeTrainer.Train(corpus.Append("go go go go go goes goes"), 300, ["<x>"], [" so"]).Save(folder.File("three"));
        Assert.NotEqual(File.ReadAllBytes(folder.File("one")), File.ReadAllBytes(folder.File("three")));
    }

    [Fact]
    public void Training_gives_control_tokens_the_first_ids_and_fills_the_vocabulary()
    {
        Assert.Equal(0, Tokenizer.TokenId("<|end|>"));
        Assert.Equal(5, Tokenizer.TokenId("</think>"));
        Assert.Equal(300, Tokenizer.VocabSize);
    }

    [Fact]
    public void Training_refuses_a_vocabulary_without_room() =>
        Assert.Contains("257", Assert.Throws<ArgumentException>(() => BpeTrainer.Train([], 257, ["<x>"], [" so"])).Message, StringComparison.Ordinal);

    // The definition: join the pair of the lowest rank, the leftmost of equals, one pair at a time.
    private static int[] Naive(string word)
    {
        var ranks = Tokenizer.Merges.Select((merge, rank) => (merge, rank)).ToDictionary(entry => entry.merge, entry => entry.rank);
        var symbols = word.Select(letter => letter.ToString()).ToList();
        while (symbols.Zip(symbols.Skip(1)).Select((pair, at) => (Rank: ranks.GetValueOrDefault(pair, int.MaxValue), at)).Where(pair => pair.Rank < int.MaxValue).Order().ToArray() is [var best, ..])
        {
            symbols[best.at] += symbols[best.at + 1];
            symbols.RemoveAt(best.at + 1);
        }

        return [.. symbols.Select(symbol => Tokenizer.Vocabulary[symbol])];
    }
}
