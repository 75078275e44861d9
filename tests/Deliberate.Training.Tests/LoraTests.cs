using System.Text.Json;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Deliberate.Training.Decoding;
using Deliberate.Training.Grpo;
using Deliberate.Training.Lora;
using Deliberate.Training.Optimizers;
using Deliberate.Training.Sft;
using Xunit;

namespace Deliberate.Training.Tests;

public class LoraTests
{
    private static readonly LoraOptions Lora = new() { Rank = 4, Alpha = 8, Fp32Base = true };

    private static readonly SftOptions Options = new() { Epochs = 4, TokensPerStep = 30, MicroBatchTokens = 24, LearningRate = 5e-3, Bf16 = false, Lora = Lora };

    [Theory]
    [InlineData("rslora")]
    [InlineData("partial")]
    [InlineData("ranks")]
    public void Adapters_of_peft_give_its_logits(string variant)
    {
        var weights = Reference.Weights(Reference.Fixture("training", "base"));
        var folder = Reference.Fixture("training", "lora-variants", variant);
        using var expected = SafeTensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        AssertLogits(weights, PeftFolder.Load(folder, weights.Config), expected.Integers("input_ids"), expected.Values("logits"));
    }

    [Theory]
    [InlineData("dora", "use_dora")]
    [InlineData("save_embed", "modules_to_save")]
    public void What_is_not_computed_is_refused_by_name(string variant, string field)
    {
        using var stored = StoredModel.Open(Reference.Fixture("training", "base"));
        var error = Assert.Throws<InvalidDataException>(() => PeftFolder.Load(Reference.Fixture("training", "lora-variants", variant), stored.Config));
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adapter_trained_by_peft_gives_its_logits_merged_and_not()
    {
        var weights = Reference.Weights(Reference.Fixture("training", "base"));
        using var expected = SafeTensorsFile.Open(Reference.Fixture("training", "sft-lora", "expected.safetensors"));
        var adapter = PeftFolder.Load(Reference.Fixture("training", "sft-lora", "final"), weights.Config);
        AssertLogits(weights, adapter, expected.Integers("input_ids"), expected.Values("logits_final_adapter"));
        using var merged = new Decoder(adapter.Merge(weights), bf16: false);
        Assert.InRange(Reference.Distance(expected.Values("logits_merged"), Reference.Logits(merged, expected.Integers("input_ids"), 4)), 0, 2e-4);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Twenty_steps_are_those_of_peft_or_transformers(bool lora, bool packing)
    {
        var weights = Reference.Weights(Reference.Fixture("training", "base"));
        using var expected = JsonDocument.Parse(File.ReadAllText(Reference.Fixture("training", lora ? "sft-lora" : "sft-full", "expected.json")));
        double[] Numbers(string name) => [.. expected.RootElement.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];
        var (losses, norms, rates) = (Numbers("loss"), Numbers("grad_norm"), Numbers("lr"));
        var options = new SftOptions
        {
            Epochs = 1,
            RowsPerStep = 4,
            MicroBatchTokens = 80,
            Shuffle = false,
            LearningRate = lora ? 1e-2 : 3e-3,
            Schedule = ScheduleKind.Cosine,
            WarmUpSteps = 3,
            MinimumShare = 0,
            Beta1 = 0.9,
            Beta2 = 0.95,
            Epsilon = 1e-8,
            WeightDecay = 0.01,
            ClipNorm = 1,
            Bf16 = false,
            Packing = packing,
            Lora = lora ? Lora : null,
            StartAdapter = lora ? PeftFolder.Load(Reference.Fixture("training", "sft-lora", "initial"), weights.Config) : null,
        };
        var steps = new List<SftProgress>();
        var trained = SftTrainer.Train(weights, Reference.Rows(0, 80), options, steps.Add, TestContext.Current.CancellationToken);
        Assert.Equal(20, steps.Count);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(1, steps[i].Loss / losses[i], 1e-3);
            Assert.Equal(1, steps[i].GradientNorm / norms[i], 1e-2);
            Assert.Equal(rates[i], steps[i].LearningRate, 1e-9);
        }

        if (lora) return;
        var final = Reference.Weights(Reference.Fixture("training", "sft-full", "final"));
        foreach (var (name, _) in final.Config.Tensors()) Assert.InRange(Reference.Distance(final[name], trained[name]), 0, 5e-3);
    }

    [Theory]
    [InlineData(DecoderBody.Torch)]
    [InlineData(DecoderBody.Host)]
    public void The_gradient_of_two_micro_batches_is_that_of_torch(DecoderBody body)
    {
        using var expected = SafeTensorsFile.Open(Reference.Fixture("training", "sft-full", "grad_step0.safetensors"));
        using var decoder = new Decoder(Reference.Weights(Reference.Fixture("training", "base")), bf16: false) { Body = body };
        var rows = Reference.Rows(0, 4);
        foreach (var micro in rows.Chunk(2)) WeightedLoss.Backward(decoder, micro, WeightedLoss.TotalWeight(rows));
        foreach (var (name, gradient) in decoder.Gradients())
        {
            var values = expected.Values(name);
            Assert.InRange(Reference.Distance(values, gradient), 0, 1e-4f * values.Max(Math.Abs));
        }
    }

    [Fact]
    public void Merging_equals_adapting()
    {
        var trained = SftTrainer.TrainAdapter(Tiny.Weights(), Tiny.Rows(4), Options, cancel: TestContext.Current.CancellationToken);
        Assert.Contains(trained.Modules.Values, matrices => matrices.B.Any(value => value != 0));
        var ids = Tiny.Rows(1)[0].Tokens.Select(token => (long)token).ToArray();
        using var adapted = new Decoder(Tiny.Weights(), new DecoderOptions { Bf16 = false, Adapter = trained });
        using var merged = new Decoder(trained.Merge(Tiny.Weights()), bf16: false);
        Assert.InRange(Reference.Distance(Reference.Logits(adapted, ids, 1), Reference.Logits(merged, ids, 1)), 0, 1e-4);
        Tiny.AssertSame(trained.Merge(Tiny.Weights()), adapted.ToWeights());
        adapted.Adapted = false;
        using var plain = new Decoder(Tiny.Weights(), bf16: false);
        Assert.Equal(Reference.Logits(plain, ids, 1), Reference.Logits(adapted, ids, 1));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Plain_code_and_libtorch_give_the_same_gradients_of_adapters(bool fp32, bool partial)
    {
        var options = Lora with { Fp32Base = fp32, Layers = partial ? [1] : null, TargetModules = partial ? ["k_proj", "up_proj", "o_proj"] : null };
        var adapter = LoraAdapter.Create(Tiny.Config, options);
        var random = new Random(2);
        foreach (var matrices in adapter.Modules.Values)
            for (var i = 0; i < matrices.B.Length; i++) matrices.B[i] = random.NextSingle() - 0.5f;
        (double Loss, float[][] Gradients) Of(DecoderBody body, bool checkpointing = false)
        {
            using var decoder = new Decoder(Tiny.Weights(), new DecoderOptions { Bf16 = false, Adapter = adapter, GradientCheckpointing = checkpointing }) { Body = body };
            var loss = Tiny.Rows(5).Chunk(2).Sum(rows => WeightedLoss.Backward(decoder, rows, 10));
            using var scope = TorchSharp.torch.NewDisposeScope();
            return (loss, [.. decoder.Parameters.Select(parameter => parameter.grad!.contiguous().data<float>().ToArray())]);
        }

        var expected = Of(DecoderBody.Torch);
        foreach (var actual in new[] { Of(DecoderBody.Host), Of(DecoderBody.Torch, checkpointing: true) })
        {
            Assert.Equal(1, actual.Loss / expected.Loss, 1e-5);
            foreach (var (a, b) in expected.Gradients.Zip(actual.Gradients)) Assert.InRange(Reference.Distance(a, b), 0, 1e-4f * Math.Max(1e-3f, a.Max(Math.Abs)));
        }
    }

    [Fact]
    public void An_adapter_survives_its_folder()
    {
        using var folder = Tiny.Folder();
        var options = Lora with { TargetModules = ["q_proj", "mlp.down_proj"], Layers = [1], RsLora = true, RankPattern = new Dictionary<string, int> { ["q_proj"] = 2 }, AlphaPattern = new Dictionary<string, double> { ["down_proj"] = 3 } };
        var adapter = LoraAdapter.Create(Tiny.Config, options);
        Assert.Equal(["model.layers.1.mlp.down_proj", "model.layers.1.self_attn.q_proj"], adapter.Modules.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((2, 8 / Math.Sqrt(2)), (adapter.Modules["model.layers.1.self_attn.q_proj"].Rank, adapter.Modules["model.layers.1.self_attn.q_proj"].Scale));
        Assert.Equal((4, 1.5), (adapter.Modules["model.layers.1.mlp.down_proj"].Rank, adapter.Modules["model.layers.1.mlp.down_proj"].Scale));
        PeftFolder.Save(folder.Path, adapter, "base");
        var read = PeftFolder.Load(folder.Path, Tiny.Config);
        foreach (var (module, matrices) in adapter.Modules)
        {
            Assert.Equal(matrices.A, read.Modules[module].A);
            Assert.Equal(matrices.B, read.Modules[module].B);
            Assert.Equal(matrices.Scale, read.Modules[module].Scale);
        }
    }

    [Theory]
    [InlineData("\"r\": 4", "\"r\": 3", "rank 4")]
    [InlineData("\"r\": 4", "\"r\": \"x\"", "'r'")]
    [InlineData("\"bias\": \"none\"", "\"bias\": \"all\"", "'bias'")]
    [InlineData("\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\"", "'IA3'")]
    [InlineData("\"use_dora\": false", "\"new_idea\": 3", "'new_idea'")]
    [InlineData("\"rank_pattern\": {}", "\"rank_pattern\": {\"(a+\": 4}", "no pattern")]
    [InlineData("{", "[", "not valid JSON")]
    public void A_damaged_adapter_is_one_clear_line(string from, string to, string expected)
    {
        using var folder = Tiny.Folder();
        PeftFolder.Save(folder.Path, LoraAdapter.Create(Tiny.Config, Lora));
        var file = Path.Combine(folder.Path, "adapter_config.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace(from, to, StringComparison.Ordinal));
        var error = Assert.Throws<InvalidDataException>(() => PeftFolder.Load(folder.Path, Tiny.Config));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void An_adapter_of_another_model_is_refused()
    {
        using var folder = Tiny.Folder();
        PeftFolder.Save(folder.Path, LoraAdapter.Create(Tiny.Config, Lora));
        Assert.Contains("no linear layer", Assert.Throws<InvalidDataException>(() => PeftFolder.Load(folder.Path, Tiny.Config with { Layers = 1 })).Message, StringComparison.Ordinal);
        Assert.Contains("shape", Assert.Throws<InvalidDataException>(() => PeftFolder.Load(folder.Path, Tiny.Config with { FeedForward = 40 })).Message, StringComparison.Ordinal);
        Assert.Contains("'gate'", Assert.Throws<ArgumentException>(() => LoraAdapter.Create(Tiny.Config, Lora with { TargetModules = ["gate"] })).Message, StringComparison.Ordinal);
        Assert.Contains("layer", Assert.Throws<ArgumentException>(() => LoraAdapter.Create(Tiny.Config, Lora with { Layers = [2] })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_resumed_run_ends_in_the_same_bytes(bool fp32, bool packing)
    {
        using var folder = Tiny.Folder();
        var options = Options with { Lora = Lora with { Fp32Base = fp32 }, Packing = packing };
        var rows = Tiny.Rows(5);
        var expected = SftTrainer.TrainAdapter(Tiny.Weights(), rows, options, cancel: TestContext.Current.CancellationToken);
        options = options with { CheckpointFolder = folder.Path };
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => SftTrainer.TrainAdapter(Tiny.Weights(), rows, options, step =>
        {
            if (step.Step == 3) cancel.Cancel();
        }, cancel.Token));
        using (var checkpoint = SafeTensorsFile.Open(Path.Combine(folder.Path, "checkpoint.safetensors")))
            Assert.Equal(3 * expected.Parameters, checkpoint.Tensors.Values.Where(tensor => tensor.Shape.Count == 2).Sum(tensor => tensor.Count));
        var actual = SftTrainer.TrainAdapter(Tiny.Weights(), rows, options, cancel: TestContext.Current.CancellationToken);
        foreach (var (module, matrices) in expected.Modules)
        {
            Assert.Equal(matrices.A, actual.Modules[module].A);
            Assert.Equal(matrices.B, actual.Modules[module].B);
        }
    }

    [Fact]
    public void Reinforcement_with_adapters_holds_to_the_model_without_them()
    {
        var options = new GrpoOptions { LearningRate = 5e-3, ConstantLength = 4, WarmUpSteps = 0, Bf16 = false, KlCoefficient = 0.1, Lora = Lora };
        Rollout[] rollouts = [.. Tiny.Rows(4).Select((row, i) => new Rollout(row.Tokens, 3, i % 2 == 0 ? 1 : -1))];
        using var trainer = new GrpoTrainer(Tiny.Weights(), options);
        Assert.Equal(0, trainer.Step(rollouts).Kl, 6);
        for (var i = 0; i < 3; i++) trainer.Step(rollouts);
        var kl = trainer.Step(rollouts).Kl;
        Assert.True(kl > 1e-4);
        using var second = new GrpoTrainer(Tiny.Weights(), options with { Lora = null, StartAdapter = trainer.Adapter() }, reference: Tiny.Weights());
        using var third = new GrpoTrainer(Tiny.Weights(), options with { Lora = null, StartAdapter = trainer.Adapter() });
        Assert.Equal(second.Step(rollouts).Kl, third.Step(rollouts).Kl, 5);
    }

    [Fact]
    public void Muon_does_not_move_adapters() =>
        Assert.Throws<NotSupportedException>(() => SftTrainer.Train(Tiny.Weights(), Tiny.Rows(2), Options with { Optimizer = OptimizerKind.Muon }, cancel: TestContext.Current.CancellationToken));

    private static void AssertLogits(ModelWeights weights, LoraAdapter adapter, long[] ids, float[] expected)
    {
        adapter = new(adapter.Options with { Fp32Base = true }, adapter.Modules);
        using var decoder = new Decoder(weights, new DecoderOptions { Bf16 = false, Adapter = adapter });
        Assert.InRange(Reference.Distance(expected, Reference.Logits(decoder, ids, 4)), 0, 2e-4);
    }
}
