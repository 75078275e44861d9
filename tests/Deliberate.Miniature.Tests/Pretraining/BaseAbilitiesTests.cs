using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Miniature.Pretraining;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class BaseAbilitiesTests
{
    [Fact]
    public void A_model_that_knows_nothing_has_no_abilities_and_is_measured_the_same_twice()
    {
        var config = new ModelConfig { VocabSize = MiniatureTokenizer.VocabularySize, HiddenSize = 16, Layers = 1, Heads = 1, KvHeads = 1, HeadDim = 16, FeedForward = 16, MaxPositions = 1_024 };
        var (weights, random) = (new ModelWeights(config), new Random(1));
        foreach (var (name, _) in config.Tensors())
            for (var i = 0; i < weights[name].Length; i++) weights[name][i] = (float)random.NextDouble() - 0.5f;
        using var generator = new Generator(weights, new() { Threads = 1 });
        var abilities = new BaseAbilities(generator, Sample.Tokenizer, 3);
        var (follow, judge, help) = (abilities.Follow(8), abilities.Judge(2, 2), abilities.Help(4));
        Assert.Equal((0, 8), (follow["citation and action"].Value, follow["citation and action"].N));
        Assert.Equal((0, 4), (help["helpful, with a thought"].Value, help["helpful, without a thought"].N));
        // It never says "good": all bad answers are failed, and the good ones too.
        Assert.Equal((12 / 14.0, 14), (judge["accuracy, k=1"].Value, judge["accuracy, k=1"].N));
        Assert.Equal((0, 12), (judge["false good, min of 2"].Value, judge["false good, min of 2"].N));
        Assert.Equal((1, 2), (judge["error, good, k=1"].Value, judge["error, good, k=1"].N));
        Assert.Equal(follow.Keys, abilities.Follow(8).Keys);
        Assert.Equal(judge, abilities.Judge(2, 2));
    }
}
