using Deliberate.Inference.Tokenization;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public class ReferenceTests
{
    public static TheoryData<string> Shared => [.. Vocabularies.Small, "deepseek-v3", "gpt-oss", "mistral-v3", "qwen3", "smollm2"];

    public static TheoryData<string> Small => [.. Vocabularies.Small];

    [Theory]
    [MemberData(nameof(Small))]
    public void Small_vocabularies_give_the_ids_and_texts_of_the_reference(string name) => Compare(Vocabularies.SmallPath(name));

    [Theory]
    [MemberData(nameof(Shared))]
    public void Published_vocabularies_give_the_ids_and_texts_of_the_reference(string name) => Compare(Vocabularies.SharedPath(name));

    [Theory]
    [MemberData(nameof(Small))]
    public void Token_by_token_the_same_text_comes_out_in_whole_characters(string name)
    {
        var tokenizer = Vocabularies.Load(Vocabularies.SmallPath(name));
        foreach (var example in Vocabularies.Cases(Vocabularies.SmallPath(name)))
        {
            Assert.Equal(example.Decoded, Stream(tokenizer.StartDecoding(), example.Ids));
            Assert.Equal(example.DecodedSkip, Stream(tokenizer.StartDecoding(skipSpecial: true), example.Ids));
        }
    }

    private static string Stream(StreamingDecoder decoder, int[] ids)
    {
        string[] pieces = [.. ids.Select(decoder.Add), decoder.Finish()];
        Assert.All(pieces, piece => Assert.Equal(Tiny.Valid(piece), piece));
        return string.Concat(pieces);
    }

    private static void Compare(string folder)
    {
        var tokenizer = Vocabularies.Load(folder);
        var (cases, wrong) = (Vocabularies.Cases(folder), new List<string>());
        foreach (var example in cases)
        {
            if (!tokenizer.Encode(example.Text).SequenceEqual(example.Ids)) wrong.Add($"ids of {Show(example.Text)}: {string.Join(' ', tokenizer.Encode(example.Text))} for {string.Join(' ', example.Ids)}");
            if (!tokenizer.Encode(example.Text, special: true).SequenceEqual(example.IdsSpecial)) wrong.Add($"special ids of {Show(example.Text)}");
            if (tokenizer.Decode(example.Ids) != example.Decoded) wrong.Add($"decoding of {Show(example.Text)}: {Show(tokenizer.Decode(example.Ids))} for {Show(example.Decoded)}");
            if (tokenizer.Decode(example.Ids, skipSpecial: true) != example.DecodedSkip) wrong.Add($"skipping of {Show(example.Text)}");
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} differences over {cases.Length} texts: {string.Join('\n', wrong.Take(5))}");
        Assert.NotEmpty(cases);
    }

    private static string Show(string text) => System.Text.Json.JsonSerializer.Serialize(text);
}
