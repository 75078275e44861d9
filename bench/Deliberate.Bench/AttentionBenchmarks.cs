using BenchmarkDotNet.Attributes;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;

namespace Deliberate.Bench;

/// <summary>Attention of one new token over the tokens before it, one layer of the miniature.</summary>
[InProcess]
public unsafe class AttentionBenchmarks
{
    private readonly float[] _query = GC.AllocateArray<float>(192, pinned: true), _output = GC.AllocateArray<float>(192, pinned: true);
    private Attention _attention = null!;
    private KeyValues _run = null!;

    [Params(64, 256, 768)]
    public int Tokens { get; set; }

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
        _attention.Prepare(_run, Tokens - 1);
    }

    [Benchmark]
    public void Attend()
    {
        fixed (float* query = _query, output = _output) _attention.Compute(0, query, output);
    }
}
