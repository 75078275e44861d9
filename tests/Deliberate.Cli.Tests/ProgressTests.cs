using Deliberate.Cli.Interaction;
using Xunit;

namespace Deliberate.Cli.Tests;

public class ProgressTests
{
    [Theory]
    [InlineData(0.4, "0 s")]
    [InlineData(42, "42 s")]
    [InlineData(59.7, "1 min 00 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(4320, "1 h 12 min")]
    [InlineData(-3, "0 s")]
    public void Durations_read_as_people_say_them(double seconds, string text) => Assert.Equal(text, Figures.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(1234.4, "1234/s")]
    [InlineData(12.345, "12.3/s")]
    [InlineData(0.5, "0.50/s")]
    [InlineData(0.05, "3.0/min")]
    public void Rates_have_as_many_figures_as_are_worth_reading(double rate, string text) => Assert.Equal(text, Figures.Rate(rate));

    [Fact]
    public void A_line_says_stage_arm_count_rate_time_left_and_figures()
    {
        var going = new StageStatus(new("rl", "sft+rl", 12, 24, "steps", "reward 0.92"), TimeSpan.FromSeconds(30), 0.4, TimeSpan.FromSeconds(30), Started: false, Finished: false);
        Assert.Equal("rl (sft+rl)              12/24 steps  0.40/s  30 s left  reward 0.92", ProgressText.Line(going));
        var done = new StageStatus(new("distill", null, 140, 140, "examples"), TimeSpan.FromSeconds(2), null, null, Started: true, Finished: true);
        Assert.Equal("distill                  140 examples in 2 s", ProgressText.Line(done));
    }

    [Fact]
    public void A_log_has_a_line_at_the_start_now_and_then_and_at_the_end()
    {
        var (time, writer) = (new ManualTime(), new StringWriter());
        var progress = new PlainProgress(writer, time);
        for (var done = 0; done <= 100; done++)
        {
            progress.Report(new("judge", null, done, 100, "verdicts"));
            time.Pass(0.11);
        }

        var lines = writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["0/100", "46/100", "92/100", "100"], lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));
        Assert.DoesNotContain('\e', writer.ToString());
    }

    [Fact]
    public async Task A_terminal_keeps_a_line_for_every_finished_stage_and_shows_the_cursor_again()
    {
        var streams = new Streams();
        await using (var progress = ProgressView.Over(streams.Terminal(styled: true)))
        {
            Parallel.For(0, 6, arm => progress.Report(new("eval", $"arm{arm}", 10, 10, "answers", "[odd] figures")));
            progress.Report(new("report", null, 0, 2, "files"));
        }

        Assert.All(Enumerable.Range(0, 6), arm => Assert.Contains($"eval (arm{arm})", streams.Notes, StringComparison.Ordinal));
        Assert.Contains("[odd] figures", streams.Notes, StringComparison.Ordinal);
        Assert.True(streams.Notes.LastIndexOf("\e[?25h", StringComparison.Ordinal) > streams.Notes.LastIndexOf("\e[?25l", StringComparison.Ordinal));
        Assert.Empty(streams.Results);
    }

    [Fact]
    public void Redirected_notes_get_a_log() => Assert.IsType<PlainProgress>(ProgressView.Over(new Streams().Terminal()));
}
