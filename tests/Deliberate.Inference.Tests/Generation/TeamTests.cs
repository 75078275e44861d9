using Deliberate.Inference.Generation;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

public class TeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_part_of_every_phase_is_done_once_and_in_order(int threads)
    {
        using var team = new Team(threads);
        for (var call = 0; call < 200; call++)
        {
            var (phases, parts) = (1 + call % 7, 1 + call % 11);
            var done = new int[phases * parts];
            var early = 0;
            team.Run(me =>
            {
                for (var phase = 0; phase < phases; phase++)
                {
                    for (int part; (part = team.Take(me, parts)) < parts;)
                    {
                        if (phase > 0 && done.AsSpan((phase - 1) * parts, parts).Contains(0)) Interlocked.Increment(ref early);
                        Interlocked.Increment(ref done[phase * parts + part]);
                    }

                    team.Sync(me);
                }
            });
            Assert.Equal(0, early);
            Assert.All(done, times => Assert.Equal(1, times));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_failure_on_any_thread_reaches_the_caller(int threads)
    {
        using var team = new Team(threads);
        var error = Assert.Throws<InvalidOperationException>(() => team.Run(me =>
        {
            for (int part; (part = team.Take(me, 100)) < 100;)
                if (part == 57) throw new InvalidDataException("broken");
            team.Sync(me);
        }));
        Assert.Contains("broken", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => team.Run(_ => { }));
    }
}
