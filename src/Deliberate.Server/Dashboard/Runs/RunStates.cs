using System.Text.Json;
using Deliberate.Reports;
using Deliberate.Runs;
using Deliberate.Server.Dashboard.Files;

namespace Deliberate.Server.Dashboard.Runs;

/// <summary>Reads from a run's files where it stands, also while another process works on it. Thread-safe.</summary>
internal sealed class RunStates(RateMeter rates)
{
    private static readonly string[] Shared = ["generate", "judge", "distill"];

    public RunState Of(RunPlace run)
    {
        var stages = run.IsOfFiles ? OfFiles(run) : OfWorld(run);
        var finished = run.IsOfFiles ? stages.Count > 0 && stages.All(stage => stage.Kind == StageProgressKind.Done) : run.Report is not null;
        // A run on prompts of files may go on with a stage that it was not asked for before.
        var alive = (run.IsOfFiles || !finished) && IsHeld(run);
        var current = finished ? null : Current(stages);
        StageState Told(StageState stage) => stage != current ? stage
            : alive ? stage with { Kind = StageProgressKind.Running, Rate = stage.Items is { } items ? rates.Rate($"{run.FolderPath}\n{stage.Name}\n{stage.Arm}", items) : null }
            : stage.Items > 0 ? stage with { Kind = StageProgressKind.Stopped } : stage;
        return new(alive, finished, [.. stages.Select(Told)]);
    }

    // What has left something behind and is not done is at work; before it has, it can only be guessed.
    private static StageState? Current(IReadOnlyList<StageState> stages)
    {
        var open = stages.Where(stage => stage.Kind != StageProgressKind.Done).ToArray();
        return open.FirstOrDefault(stage => stage.Items is not null)
            ?? (stages.Any(stage => stage is { Name: "eval", Kind: StageProgressKind.Done }) ? open.FirstOrDefault(stage => stage.Name == "eval") : null)
            ?? open.FirstOrDefault();
    }

    // A run of the miniature's world notes what each stage took when it is done.
    private static List<StageState> OfWorld(RunPlace run)
    {
        var timed = run.Report?.Stages ?? [.. run.StageFiles("timing-", ".json").OrderBy(File.GetLastWriteTimeUtc).Select(Timing).OfType<ReportStage>()];
        var stages = new List<StageState>();
        foreach (var name in Shared)
            if (!timed.Any(stage => stage.Name == name))
                stages.Add(new(name, null, StageProgressKind.Waiting, run.StageFiles(name + "-", ".jsonl").Count > 0 ? CountOf(run, name) : null, UnitOf(name)));
        stages.AddRange(timed.Select(stage => new StageState(stage.Name, stage.Arm, StageProgressKind.Done, stage.Items, UnitOf(stage.Name), stage.ItemsPerSecond, stage.Seconds)));
        // What has left work in progress behind, or has begun to write.
        foreach (var scratch in Directory.Exists(run.PathOf("stages")) ? Directory.EnumerateDirectories(run.PathOf("stages"), "training-*.scratch") : [])
        {
            var name = Path.GetFileName(scratch)["training-".Length..^".scratch".Length];
            var arm = name[..name.LastIndexOf('-')];
            var stage = arm is "rl-only" or "sft+rl" ? "rl" : "sft";
            if (!timed.Any(done => done.Name == stage && done.Arm == arm))
                stages.Add(new(stage, arm, StageProgressKind.Waiting, stage == "rl" ? (run.Rollouts.Steps(arm) is [.., var last] ? last : 0) : 0, "steps"));
        }

        if (run.Report is null)
        {
            stages.Add(new("eval", null, StageProgressKind.Waiting, null, "answers"));
            stages.Add(new("report", null, StageProgressKind.Waiting, null, "pages"));
        }

        return [.. stages.OrderBy(stage => stage.Kind != StageProgressKind.Done)];
    }

    // A run on prompts of files notes its counts.
    private static List<StageState> OfFiles(RunPlace run)
    {
        var stages = new List<StageState>();
        foreach (var (name, unit, count) in ((string, string, string)[])
            [("prompts", "prompts", "train"), ("generate", "samples", "made"), ("judge", "samples", "made"), ("distill", "examples", "kept")])
        {
            var done = Noted(run, name, count);
            stages.Add(new(name, null, done is null ? StageProgressKind.Waiting : StageProgressKind.Done, done ?? CountOf(run, name), unit));
        }

        // What comes later was asked for only when something of it is there.
        foreach (var (file, name, arm, count) in ((string, string, string?, string)[])
            [("instant-refusal", "sft", "instant-refusal", "rows"), ("sft", "sft", "sft", "rows"), ("rl", "rl", "sft+rl", ""), ("eval", "eval", null, "")])
            if (File.Exists(run.PathOf(Path.Combine("stages", $"{file}-last.json")))) stages.Add(new(name, arm, StageProgressKind.Done, Noted(run, file, count), "examples"));
        foreach (var arm in (string[])["instant-refusal", "sft"])
        {
            var begun = Directory.Exists(run.PathOf("checkpoints")) && Directory.EnumerateDirectories(run.PathOf("checkpoints"), $"{arm}-*").Any();
            if (begun && !File.Exists(run.PathOf(Path.Combine("stages", $"{arm}-last.json")))) stages.Add(new("sft", arm, StageProgressKind.Waiting, 0, "steps"));
        }

        if (stages.All(stage => stage.Name != "rl") && run.Rollouts.LoggedSteps is > 0 and var steps) stages.Add(new("rl", "sft+rl", StageProgressKind.Waiting, steps, "steps"));
        return stages;
    }

    private static string UnitOf(string stage) => stage switch { "generate" or "distill" => "samples", "judge" => "verdicts", "eval" => "answers", "sft" or "rl" => "steps", _ => "items" };

    private static long CountOf(RunPlace run, string stage) => stage switch
    {
        "generate" => run.Samples.Counts.Samples,
        "judge" => run.IsOfFiles ? run.Samples.Counts.Judged : run.Samples.Counts.Verdicts,
        _ => 0,
    };

    private static ReportStage? Timing(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<ReportStage>(File.ReadAllBytes(path), RunJson.Options);
        }
        catch (Exception problem) when (problem is IOException or JsonException)
        {
            return null;
        }
    }

    private static long? Noted(RunPlace run, string stage, string count)
    {
        var noted = new WholeFile<Dictionary<string, JsonElement>>(run.PathOf(Path.Combine("stages", $"{stage}-last.json"))).Value;
        if (noted is null) return null;
        return noted.GetValueOrDefault("result") is { ValueKind: JsonValueKind.Object } result && result.TryGetProperty(count, out var number) && number.TryGetInt64(out var value) ? value : 0;
    }

    // A run holds a lock on its folder. Asking whether it is held takes the lock in common for a moment, which disturbs nobody who has it.
    private static bool IsHeld(RunPlace run)
    {
        var path = run.PathOf(".lock");
        if (!File.Exists(path)) return false;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
