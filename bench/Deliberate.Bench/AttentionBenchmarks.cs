using BenchmarkDotNet.Attributes;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;

namespace Deliberate.Bench;

/// <summary>Attention of new tokens over the tokens before them, which are the same for all, one layer of the miniature.</summary>
[InProcess]
public unsafe class AttentionBenchmarks
{
    private const int Width = 192;
    private readonly float[] _query = GC.AllocateArray<float>(Width * Attention.MostRows, pinned: true), _output = GC.AllocateArray<float>(Width * Attention.MostRows, pinned: true);
    private Attention _attention = null!;
    private KeyValues _run = null!;

    [Params(64, 256, 768)]
    public int Tokens { get; set; }

    [Params(1, 8)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var model = new PackedModel(new ModelConfig { VocabSize = 64, HiddenSize = 192, Layers = 1, Heads = 6, KvHeads = 3, HeadDim = 32, FeedForward = 64, MaxPositions = 1024 });
        (_attention, _run) = (new(model), new(model, null, Tokens));
        var random = new Random(1);
        _run.Count = Tokens;
        foreach (var page in _run.Pages)
            for (var head = 0; head < 3; head++)
            {
                foreach (ref var key in page.Keys(0, head)) key = (float)random.NextDouble();
                foreach (ref var value in page.Values(0, head)) value = (float)random.NextDouble();
            }

        for (var i = 0; i < _query.Length; i++) _query[i] = (float)random.NextDouble();
    }

    [Benchmark]
    public void Attend()
    {
        // Pinned.
        fixed (float* query = _query, output = _output)
        {
            _attention.Clear();
            for (var row = 0; row < Rows; row++) _attention.Add(_run, Tokens - 1, null, query + row * Width, output + row * Width);
            _attention.Compute(0);
        }
    }
}
