using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Pipeline.Stages;
using Xunit;

namespace Deliberate.Pipeline.Tests.Stages;

public class PromptWeightsTests
{
    private static readonly IReadOnlyList<Request> Pool = TrainingPrompts.Draw(Worlds.Small, seed: 3, count: 400, benign: 0.2);

    [Fact]
    public void A_draw_repeats_no_prompt_and_depends_on_the_seed_alone()
    {
        var weights = new PromptWeights(Pool);
        var drawn = weights.Draw(new Random(5), 40);
        Assert.Equal(40, drawn.Distinct().Count());
        Assert.Equal(drawn, new PromptWeights(Pool).Draw(new Random(5), 40));
        Assert.NotEqual(drawn, weights.Draw(new Random(6), 40));
    }

    [Fact]
    public void Cells_that_are_answered_perfectly_are_drawn_less_often()
    {
        var weights = new PromptWeights(Pool);
        bool Mastered(int index) => Pool[index].Act.Name == "a story";
        double Share() => Enumerable.Range(0, 60).SelectMany(seed => weights.Draw(new Random(seed), 20)).Average(index => Mastered(index) ? 1.0 : 0);
        var before = Share();
        for (var round = 0; round < 12; round++)
            for (var index = 0; index < Pool.Count; index++) weights.Learn(index, Mastered(index) ? 1 : 0);
        Assert.True(Share() < before / 4, $"{Share()} against {before}");
    }

    [Fact]
    public void A_restored_state_draws_the_same()
    {
        var weights = new PromptWeights(Pool);
        for (var index = 0; index < Pool.Count; index++) weights.Learn(index, index % 3 / 2.0);
        var restored = new PromptWeights(Pool);
        weights.State.CopyTo(restored.State, 0);
        Assert.Equal(weights.Draw(new Random(1), 30), restored.Draw(new Random(1), 30));
    }
}
