using BenchmarkDotNet.Attributes;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Bench;

/// <summary>Encoding and decoding a page of text: words that were seen before, and words that were not.</summary>
[InProcess]
public class TokenizerBenchmarks
{
    private static readonly string[] Words = ["the", "user", "asks", "for", "a", "story", "about", "robbery", "policy", "says", "comply", "unless", "professional"];
    private readonly BpeTokenizer _tokenizer = BpeTrainer.Train([string.Join(' ', Words.Concat(Words).Concat(Words))], 320, ["<|end|>"], [" a story", " [T3]"]);
    private readonly Random _random = new(1);
    private string _page = "";
    private int[] _tokens = [];

    [GlobalSetup]
    public void Setup()
    {
        _page = string.Join(' ', Enumerable.Range(0, 500).Select(_ => Words[_random.Next(Words.Length)]));
        _tokens = _tokenizer.Encode(_page);
    }

    [Benchmark]
    public int[] Encode() => _tokenizer.Encode(_page);

    [Benchmark]
    public int[] EncodeUnseenWords() => _tokenizer.Encode(string.Join(' ', Enumerable.Range(0, 500).Select(_ => _random.NextInt64(1L << 60).ToString("x16", System.Globalization.CultureInfo.InvariantCulture))));

    [Benchmark]
    public string Decode() => _tokenizer.Decode(_tokens);
}
