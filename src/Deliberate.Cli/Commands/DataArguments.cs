using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Deliberate.Judging.Calibration;
using Deliberate.Pipeline.Data;
using Deliberate.Prompts;
using Deliberate.Runs;

namespace Deliberate.Cli.Commands;

/// <summary>The options of <c>generate</c>, <c>judge</c>, <c>distill</c>, <c>eval</c> and <c>run</c> for prompts of the user's own.</summary>
internal sealed class DataArguments
{
    private readonly AlignmentArguments _alignment;
    private readonly Option<string[]> _prompts = new("--prompts") { HelpName = "FILE", Description = "Prompts of your own in place of the miniature's world: JSON lines, CSV, TSV or Parquet. May be given several times." };
    private readonly Option<string> _fields = new("--fields") { HelpName = "NAME=FIELD,...", Description = "With --prompts: which fields hold id, prompt, messages, category and label. [default: found by their usual names]" };
    private readonly Option<string[]> _decontaminate = new("--decontaminate") { HelpName = "FILE", Description = "With --prompts: a file of evaluation prompts that training prompts must not be like. May be given several times." };
    private readonly Option<double> _heldOut = OptionsOf.Share("--held-out", "With --prompts: share of the prompts that is kept to measure on.", 0.1);
    private readonly Option<bool> _unlabelled = new("--no-labels") { Description = "With --prompts: prompts whose file names no category of the policy belong to none. [default: the base model names it]" };
    private readonly Option<int> _samples = OptionsOf.Number("--samples", "With --prompts: samples of each prompt.", 1, 4);
    private readonly Option<int> _judgeRuns = OptionsOf.Number("--judge-runs", "With --prompts: runs of the judge on each sample; the lowest score counts.", 1, 4);
    private readonly Option<double> _threshold = OptionsOf.Share("--threshold", "With --prompts: the lowest score that is trained on.", 0.8);
    private readonly Option<double> _temperature = OptionsOf.Share("--temperature", "With --prompts: sampling temperature of the base model, up to 1.", 1);
    private readonly Option<int> _maxTokens = OptionsOf.Number("--max-tokens", "With --prompts: most tokens of a completion. [default: the server's]", 1, 0);
    private readonly Option<int> _specTokens = OptionsOf.Number("--spec-tokens", "With --prompts: most tokens of spec(category).", 1, 4096);
    private readonly Option<string[]> _examples = new("--examples") { HelpName = "FILE", Description = "With --prompts: finished examples, with thought and answer, to train on in place of those that would be generated, judged and distilled. May be given several times." };
    private readonly TuningArguments _tuning = new();
    private readonly Option<string> _calibration = new("--calibration") { HelpName = "FILE", Description = "With --prompts: how `judge calibrate --out` found the judge. One that was found wanting does not judge for training." };
    private readonly Option<bool> _evenSo = new("--even-so") { Description = "With --calibration: let the judge judge for training even so." };
    private readonly Option<int> _showMask = OptionsOf.Number("--show-mask", "With --prompts: train nothing, and print this many examples as the model would see them, with what the loss covers marked.", 1, 0);
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "With --prompts: make no call, and tell what the calls may take." };

    /// <summary>Adds the options to a command that has those of an alignment.</summary>
    public DataArguments(Command command, AlignmentArguments alignment)
    {
        _alignment = alignment;
        _maxTokens.DefaultValueFactory = _ => 0;
        _showMask.DefaultValueFactory = _ => 0;
        Option[] own = [_unlabelled, _fields, _decontaminate, _heldOut, _samples, _judgeRuns, _threshold, _temperature, _maxTokens, _specTokens, _calibration, _evenSo, _dryRun, _examples, _showMask, .. _tuning.All];
        command.Options.Add(_prompts);
        foreach (var option in own) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            var given = result.GetResult(_prompts) is { Tokens.Count: > 0 };
            foreach (var option in given ? alignment.OfTheWorld : own)
                if (result.GetResult(option) is { Implicit: false }) result.AddError(given ? $"{option.Name} does not go with --prompts." : $"{option.Name} goes with --prompts.");
        });
    }

    /// <summary>Whether the command is about prompts of the user's own.</summary>
    public bool Given(ParseResult parse) => parse.GetValue(_prompts) is { Length: > 0 };

    /// <summary>Whether no call is to be made.</summary>
    public bool IsDryRun(ParseResult parse) => parse.GetValue(_dryRun);

    /// <summary>How many examples are to be shown in place of training; 0: none.</summary>
    public int ShowMask(ParseResult parse) => parse.GetValue(_showMask);

    /// <summary>The options as the pipeline takes them.</summary>
    /// <exception cref="InvalidDataException">The calibration cannot be read.</exception>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    public DataOptions Read(ParseResult parse)
    {
        var prompts = parse.GetValue(_prompts) ?? [];
        foreach (var file in prompts.Concat(parse.GetValue(_decontaminate) ?? []).Concat(parse.GetValue(_examples) ?? []))
            if (!File.Exists(file)) throw new FileNotFoundException($"{file}: there is no such file of prompts.");
        var policy = _alignment.Policy(parse);
        var seed = _alignment.Seed(parse);
        return new()
        {
            PolicyFolder = policy,
            Out = _alignment.Out(parse) ?? DefaultOut(policy, prompts[0], seed),
            Prompts = prompts,
            Fields = parse.GetValue(_fields) is { } fields ? PromptFields.Parse(fields) : null,
            UnlabelledAreNone = parse.GetValue(_unlabelled),
            Decontaminate = parse.GetValue(_decontaminate) ?? [],
            HeldOut = parse.GetValue(_heldOut),
            Models = _alignment.Models.Read(parse),
            Samples = parse.GetValue(_samples),
            Temperature = parse.GetValue(_temperature),
            MaxTokens = parse.GetValue(_maxTokens) is > 0 and var most ? most : null,
            JudgeRuns = parse.GetValue(_judgeRuns),
            Threshold = parse.GetValue(_threshold),
            SpecTokens = parse.GetValue(_specTokens),
            Seed = seed,
            Calibration = parse.GetValue(_calibration) is { } report ? Calibration(report) : null,
            EvenSo = parse.GetValue(_evenSo),
            Arms = _alignment.Arms(parse),
            Examples = parse.GetValue(_examples) ?? [],
            Tuning = _tuning.Read(parse),
        };
    }

    /// <summary>"runs/example-questions-seed1".</summary>
    public static string DefaultOut(string policy, string prompts, int seed) => Path.Combine(
        "runs", string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(policy)))}-{Path.GetFileNameWithoutExtension(prompts)}-seed{seed}"));

    private static CalibrationReport Calibration(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<CalibrationReport>(stream, RunJson.Options) ?? throw new JsonException("it is null");
        }
        catch (JsonException problem)
        {
            throw new InvalidDataException($"{path}: no figures of `judge calibrate --out` ({problem.Message}).", problem);
        }
    }
}
