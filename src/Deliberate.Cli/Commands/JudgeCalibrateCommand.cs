using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Deliberate.Cli.Interaction;
using Deliberate.Evaluation;
using Deliberate.Judging;
using Deliberate.Judging.Calibration;
using Deliberate.Miniature.Language;
using Deliberate.Pipeline;
using Deliberate.Pipeline.Clients;
using Deliberate.Runs;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Commands;

/// <summary><c>judge calibrate</c>: how well a judge agrees with people, and whether it may train.</summary>
internal sealed class JudgeCalibrateCommand : Command
{
    private const string RefusalMatch = "refusal-match", Miniature = "miniature";

    private static readonly Dictionary<string, CalibrationQuestion> Questions = new() { ["complied"] = CalibrationQuestion.Complied, ["right"] = CalibrationQuestion.Right };

    private static readonly Dictionary<string, Func<string, CalibrationQuestion, CalibrationSet>> Sets = new()
    {
        ["xstest"] = XsTest.Read,
        ["rbr"] = RbrGold.Read,
        ["teen-safety"] = (path, _) => TeenSafety.Read(path),
    };

    private readonly Option<string> _judge = new("--judge") { HelpName = "JUDGE", DefaultValueFactory = _ => RefusalMatch };
    private readonly Option<string> _format = new("--format") { HelpName = "paper|safeguard|miniature", Description = "How a model is asked. [default: miniature for the miniature, else paper]" };
    private readonly Option<string> _set = new("--set") { HelpName = string.Join('|', Sets.Keys), Description = "The kind of the set of answers that people have judged.", Required = true };
    private readonly Option<string> _data = new("--data") { HelpName = "PATH", Description = "The set's file or folder.", Required = true };
    private readonly Option<CalibrationQuestion> _question = OptionsOf.Choice("--question", "Did the answer do what was asked, or was it right? Goes with xstest and rbr. [default: complied]", Questions);
    private readonly Option<int> _runs = OptionsOf.Number("--runs", "Runs of a model on each answer; the lowest score counts.", 1, 4);
    private readonly Option<int> _limit = OptionsOf.Number("--limit", "Most answers, spread evenly over the set.", 1, int.MaxValue);
    private readonly Option<int> _seed = OptionsOf.Number("--seed", "The seed of all randomness.", 0, 1);
    private readonly Option<string> _out = new("--out") { HelpName = "FILE", Description = "Where to keep the figures as JSON." };
    private readonly Terminal _terminal;
    private readonly Func<string, IChatClient?> _open;

    /// <param name="terminal">The streams.</param>
    /// <param name="open">Opens a judge that is not built in, by its name; null when there is none of that name.</param>
    public JudgeCalibrateCommand(Terminal terminal, Func<string, IChatClient?>? open = null)
        : base("calibrate", "Measure a judge against people's labels. Ends with 1 when it agrees too little to train a model.")
    {
        (_terminal, _open) = (terminal, open ?? OpenEndpoint);
        _judge.Description = $"The judge: {RefusalMatch} (goes by the answer's first words, reads no policy), {Miniature} (the shipped model), or a model behind an endpoint (openai:MODEL@URL, ollama:MODEL, a name in deliberate.yaml).";
        _limit.DefaultValueFactory = _ => int.MaxValue;
        _limit.Description = "Most answers, spread evenly over the set. [default: all]";
        foreach (var option in (Option[])[_judge, _format, _set, _data, _question, _runs, _limit, _seed, _out]) Options.Add(option);
        Validators.Add(result =>
        {
            if (result.GetValue(_set) is { } set && !Sets.ContainsKey(set)) result.AddError($"--set is one of {string.Join(", ", Sets.Keys)}; '{set}' is not.");
            if (result.GetValue(_format) is { } format && Format(format, 0) is null) result.AddError($"--format is one of paper, safeguard, miniature; '{format}' is not.");
        });
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var set = Sets[parse.GetRequiredValue(_set)](parse.GetRequiredValue(_data), parse.GetValue(_question)).Take(parse.GetValue(_limit));
        var (name, seed) = (parse.GetRequiredValue(_judge), parse.GetValue(_seed));
        using var arm = name == Miniature ? ArmModels.OpenModel(ShippedModel.Folder) : null;
        using var opened = name is Miniature or RefusalMatch ? null : _open(name);
        var client = arm?.Client ?? opened;
        if (client is null && name != RefusalMatch) throw new ArgumentException($"--judge: there is no judge '{name}'; built in are {RefusalMatch} and {Miniature}; others are openai:MODEL@URL, ollama:MODEL, or a name in deliberate.yaml.");
        IAnswerJudge judge = client is null ? new RefusalJudge() : new Judge(client, Format(parse.GetValue(_format) ?? (arm is null ? "paper" : Miniature), seed)!, new(parse.GetValue(_runs), Seed: seed));
        CalibrationReport report;
        try
        {
            report = await JudgeCalibration.MeasureAsync(judge, opened is null ? name : ModelArguments.Find(name)?.Name.ToString() ?? name, set, bootstrap: new Bootstrap(seed), cancellationToken: cancel);
        }
        catch (InvalidOperationException problem)
        {
            // Not one call went through: there is nothing to measure.
            _terminal.Error(problem.Message);
            return ExitCodes.Failure;
        }

        var problems = new JudgeGate().Problems(report);
        Facts.Write(_terminal, [.. Told(report), ("may train", problems.Count == 0 ? "yes" : $"no: {string.Join("; ", problems)}")]);
        if (parse.GetValue(_out) is { } file) AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, report, RunJson.Indented));
        return problems.Count == 0 ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static IEnumerable<(string, string)> Told(CalibrationReport report)
    {
        yield return ("judge", $"{report.Judge} ({report.Version})");
        yield return ("set", string.Create(CultureInfo.InvariantCulture, $"{report.Set}: {report.Counts.Total} answers, hash {report.SetHash}"));
        yield return ("question", report.Question == CalibrationQuestion.Complied ? "does the answer do what was asked?" : "is the answer right?");
        yield return ("agreement", report.Agreement.ToString());
        yield return ("kappa", report.Kappa.ToString());
        yield return ("false good", report.FalseGood.ToString());
        yield return ("false bad", report.FalseBad.ToString());
        if (report.Codes is { } codes) yield return ("same clause", codes.ToString());
        yield return ("unscored", report.UnscoredBy.Count == 0 ? "0" : string.Join(", ", report.UnscoredBy.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Value} {entry.Key}"))));
    }

    private static IChatClient? OpenEndpoint(string name) =>
        ModelArguments.Find(name) is { Name.Address: not null } settings ? EndpointClient.Open(settings, "calibration", "calibrate") : null;

    private static IJudgeFormat? Format(string name, int seed) => name switch
    {
        "paper" => new PaperJudgeFormat(seed),
        "safeguard" => new SafeguardJudgeFormat(seed),
        Miniature => new MiniatureJudgeFormat(),
        _ => null,
    };
}
