using System.Text.Json;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Grpo;
using Deliberate.Training.Optimizers;
using Xunit;

namespace Deliberate.Training.Tests;

/// <summary>The same numbers as PyTorch with transformers and TRL; see Fixtures/README.md.</summary>
public class ReferenceTests
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private static readonly ModelConfig Config = new()
    {
        VocabSize = 128,
        HiddenSize = 64,
        Layers = 3,
        Heads = 4,
        KvHeads = 2,
        HeadDim = 16,
        FeedForward = 112,
        MaxPositions = 128,
        RmsNormEps = 1e-6f,
    };

    private sealed record Sft(SftStep[] Steps);

    private sealed record SftStep(double Loss, double Norm, double Rate, Row[] Rows);

    private sealed record Row(int[] Tokens, float[] Weights);

    private sealed record Grpo(Sample[] Rows, Case[] Cases);

    private sealed record Sample(int[] Tokens, int Prompt, double Reward, double Advantage, float[] Old, float[] Current);

    private sealed record Case(string Name, double Loss, double Norm, string Weighting, double Kl, double Low, double High);

    [Fact]
    public void Twenty_steps_of_supervised_training()
    {
        using var decoder = new Decoder(Model("base"), bf16: false);
        using var optimizer = new DecoderOptimizer(decoder, OptimizerKind.AdamW, weightDecay: 0.01, clipNorm: 1);
        foreach (var step in Read<Sft>("sft.json").Steps)
        {
            var rows = step.Rows.Select(row => new TokenRow(row.Tokens, row.Weights)).ToArray();
            var total = WeightedLoss.TotalWeight(rows);
            var loss = WeightedLoss.Batches(rows, 90).Sum(batch => WeightedLoss.Backward(decoder, batch, total)) / total;
            Assert.Equal(1, loss / step.Loss, 1e-4);
            Assert.Equal(1, optimizer.Step(step.Rate, 0) / step.Norm, 1e-3);
        }
    }

    [Fact]
    public void Loss_and_gradient_of_grpo_and_its_relatives()
    {
        var reference = Read<Grpo>("grpo.json");
        var rollouts = reference.Rows.Select(row => new Rollout(row.Tokens, row.Prompt, row.Advantage) { LogProbabilities = row.Old }).ToArray();
        foreach (var setting in reference.Cases)
        {
            var options = new GrpoOptions { Weighting = Enum.Parse<TokenWeighting>(setting.Weighting), ConstantLength = 20, KlCoefficient = setting.Kl, ClipLow = setting.Low, ClipHigh = setting.High, Bf16 = false };
            using var trainer = new GrpoTrainer(Model("grpo"), options, Model("base"));
            var step = trainer.Step(rollouts);
            Assert.True(Math.Abs(step.Loss - setting.Loss) < 1e-4, $"{setting.Name}: loss {step.Loss}, expected {setting.Loss}.");
            Assert.True(Math.Abs(step.GradientNorm / setting.Norm - 1) < 1e-4, $"{setting.Name}: gradient norm {step.GradientNorm}, expected {setting.Norm}.");
            Assert.InRange(step.ClipShare, 0.001, 0.06);
        }
    }

    [Fact]
    public void Advantages_of_grpo()
    {
        foreach (var group in Read<Grpo>("grpo.json").Rows.Chunk(4))
            Assert.All(Advantages.Of([.. group.Select(row => (double?)row.Reward)], normalise: true).Zip(group), pair => Assert.Equal(pair.Second.Advantage, pair.First!.Value, 1e-5));
    }

    private static ModelWeights Model(string name)
    {
        var weights = new ModelWeights(Config);
        var (stored, _) = SafeTensors.Read(Path(name + "-model.safetensors"));
        foreach (var (tensor, _) in Config.Tensors()) stored[tensor].Values.CopyTo(weights[tensor], 0);
        return weights;
    }

    private static T Read<T>(string name) => JsonSerializer.Deserialize<T>(File.ReadAllText(Path(name)), Json)!;

    private static string Path(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Fixtures", name);
}
