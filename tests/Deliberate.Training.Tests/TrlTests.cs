using System.Text.Json;
using Deliberate.Inference.Weights;
using Deliberate.Training.Grpo;
using Xunit;

namespace Deliberate.Training.Tests;

/// <summary>GRPO and its relatives give TRL's loss and gradients.</summary>
public class TrlTests
{
    public static TheoryData<int> Settings => [.. Enumerable.Range(0, 7)];

    [Theory]
    [MemberData(nameof(Settings))]
    public void Loss_and_gradients_are_those_of_trl(int number)
    {
        var folder = Reference.Fixture("training", "grpo");
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "expected.json")));
        var setting = expected.RootElement.GetProperty("cases")[number];
        string Text(string name) => setting.GetProperty(name).GetString()!;
        double Number(string name) => setting.GetProperty(name).GetDouble();
        var options = new GrpoOptions
        {
            ClipLow = Number("epsilon"),
            ClipHigh = Number("epsilon_high"),
            KlCoefficient = Number("beta"),
            ConstantLength = (int)Number("max_completion_length"),
            Importance = Text("importance_sampling_level") == "token" ? ImportanceLevel.Token : ImportanceLevel.Sequence,
            Bf16 = false,
        };
        options = options.WithLoss(Text("loss_type") switch { "grpo" => GrpoLoss.Grpo, "bnpo" => GrpoLoss.Bnpo, "dr_grpo" => GrpoLoss.DrGrpo, _ => GrpoLoss.Dapo });
        using var trainer = new GrpoTrainer(Reference.Weights(Path.Combine(folder, "model")), options, Reference.Weights(Reference.Fixture("training", "base")));
        var (loss, gradients) = trainer.LossAndGradients(Rollouts(folder));
        Assert.Equal(Number("loss"), loss, 1e-4);
        using var file = SafeTensorsFile.Open(Path.Combine(folder, Text("gradients")));
        foreach (var (name, gradient) in gradients)
        {
            var values = file.Values(name);
            Assert.InRange(Reference.Distance(values, gradient), 0, 1e-4f * values.Max(Math.Abs));
        }

        var norm = Math.Sqrt(gradients.Values.Sum(values => values.Sum(value => (double)value * value)));
        Assert.Equal(1, norm / Number("grad_norm"), 1e-4);
    }

    private static Rollout[] Rollouts(string folder)
    {
        using var batch = SafeTensorsFile.Open(Path.Combine(folder, "batch.safetensors"));
        var (prompts, promptMask, completions, completionMask) = (batch.Integers("prompt_ids"), batch.Integers("prompt_mask"), batch.Integers("completion_ids"), batch.Integers("completion_mask"));
        var (advantages, old) = (batch.Values("advantages"), batch.Values("old_per_token_logps"));
        int[] Row(long[] ids, long[] mask, int row) => [.. ids.Zip(mask).Chunk(ids.Length / advantages.Length).ElementAt(row).Where(pair => pair.Second == 1).Select(pair => (int)pair.First)];
        return [.. Enumerable.Range(0, advantages.Length).Select(row =>
        {
            var (prompt, completion) = (Row(prompts, promptMask, row), Row(completions, completionMask, row));
            return new Rollout([.. prompt, .. completion], prompt.Length, advantages[row]) { LogProbabilities = old.Chunk(old.Length / advantages.Length).ElementAt(row)[..completion.Length] };
        })];
    }
}
