using Deliberate.Reports;
using Deliberate.Runs;
using Xunit;

namespace Deliberate.Pipeline.Tests;

public sealed class StageClockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("deliberate-clock-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_stage_that_was_finished_earlier_is_not_run_again_and_keeps_its_time()
    {
        var store = new StageStore(_folder);
        string? kept = null;
        var runs = 0;
        Task<string> Run(StageClock clock) => clock.RunAsync("sft", "arm", () => kept, () =>
        {
            runs++;
            return Task.FromResult(kept = "model");
        }, _ => 7);
        var first = new StageClock(store, "key");
        Assert.Equal("model", await Run(first));
        var second = new StageClock(store, "key");
        Assert.Equal("model", await Run(second));
        Assert.Equal(1, runs);
        ReportStage stage = Assert.Single(second.Stages);
        Assert.Equal(first.Stages[0], stage);
        Assert.Equal(("sft", "arm", 7), (stage.Name, stage.Arm, stage.Items));
    }
}
