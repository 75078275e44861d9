using System.CommandLine;
using System.Text;
using Deliberate.Cli.Interaction;
using Deliberate.Inference.Templates;
using Deliberate.Pipeline.Data;

namespace Deliberate.Cli.Commands;

/// <summary>Runs stages over prompts of the user's own, and tells what came of them.</summary>
internal static class DataStages
{
    // In green on a terminal; between marks elsewhere.
    private static string Marked(MaskedPrompt masked, bool styled)
    {
        var (text, at) = (new StringBuilder(), 0);
        foreach (var span in masked.Trained)
        {
            text.Append(masked.Text, at, span.Start - at).Append(styled ? "\e[32m" : "⟦").Append(masked.Text, span.Start, span.Length).Append(styled ? "\e[0m" : "⟧");
            at = span.End;
        }

        return text.Append(masked.Text, at, masked.Text.Length - at).ToString();
    }

    /// <summary>Runs the stages in order.</summary>
    /// <returns><see cref="ExitCodes.Failure"/> when calls failed for good: all else is done and kept.</returns>
    public static async Task<int> RunAsync(Terminal terminal, DataArguments arguments, ParseResult parse, IReadOnlyList<string> stages, CancellationToken cancel)
    {
        var options = arguments.Read(parse);
        await ModelPath.FetchAsync(options.Models, terminal, cancel);
        using var run = DataRun.Open(options);
        if (arguments.IsDryRun(parse))
        {
            Facts.Write(terminal, await run.EstimateAsync(cancel));
            return ExitCodes.Success;
        }

        if (arguments.ShowMask(parse) is > 0 and var count)
        {
            foreach (var masked in await run.MasksAsync(count, cancel: cancel)) terminal.Results.WriteLine(Marked(masked, terminal.ResultsStyled));
            return ExitCodes.Success;
        }

        var lines = new List<(string, string)>();
        var failed = 0;
        await using (var progress = ProgressView.Over(terminal))
        {
            foreach (var stage in stages)
            {
                // A whole run measures where there is something to measure on.
                if (stages.Count > 1 && stage == "eval" && options.HeldOut == 0) continue;
                // …and trains where the model is of this machine.
                if (stages.Count > 1 && stage is ("sft" or "rl") && (!run.CanTrain || (stage == "rl" && options.Tuning.RlSteps == 0))) continue;
                var (told, calls) = await run.StageAsync(stage, progress, cancel);
                lines.AddRange(told.Where(line => !lines.Contains(line)));
                failed = Math.Max(failed, calls);
            }
        }

        Facts.Write(terminal, lines);
        terminal.Note($"{stages[^1]} is done; work is kept in {options.Out}");
        if (failed == 0) return ExitCodes.Success;
        terminal.Error($"{failed} calls failed for good: `deliberate runs show {Path.GetFileName(Path.GetFullPath(options.Out))}` lists them, and the same command with --retry-failed makes them again.");
        return ExitCodes.Failure;
    }
}
