using System.CommandLine;
using System.Globalization;
using Deliberate.Cli.Interaction;
using Deliberate.Distillation;
using Deliberate.Distillation.Exports;
using Deliberate.Distillation.Reviews;
using Deliberate.Policies;
using Deliberate.Runs;

namespace Deliberate.Cli.Commands;

/// <summary><c>export</c>: a run's training examples as another trainer reads them, with a data card.</summary>
internal sealed class ExportCommand : Command
{
    private readonly Argument<string> _run = new("RUN") { Description = "The run's folder, in which `distill` is done." };
    private readonly Option<string> _format = new("--format") { HelpName = "FORMAT", Description = $"One of {string.Join(", ", ExportFormat.All.Select(format => format.Name))}.", Required = true };
    private readonly Option<string> _out = new("--out") { HelpName = "PATH", Description = "The file to write; for llama-factory-* the folder.", Required = true };
    private readonly Option<string> _policy = new("--policy") { HelpName = "FOLDER", Description = "The run's policy: to check the prompts for its words once more, and for trl-sdft, whose teacher sees it." };
    private readonly Option<int> _budget = OptionsOf.Number("--budget", "With --policy: the most tokens of a specification.", 1, 4096);
    private readonly Option<bool> _thinkTags = new("--think-tags") { Description = "Put thoughts into the answer between <think> and </think>, where the format has a field for them." };
    private readonly Option<string> _name = new("--name") { HelpName = "NAME", Description = "Name of the data set, where the format has room for one.", DefaultValueFactory = _ => "deliberate" };
    private readonly Terminal _terminal;

    public ExportCommand(Terminal terminal) : base("export", "Write a run's training examples for another trainer, and a data card beside them.")
    {
        _terminal = terminal;
        Arguments.Add(_run);
        foreach (var option in (Option[])[_format, _out, _policy, _budget, _thinkTags, _name]) Options.Add(option);
        Validators.Add(result =>
        {
            if (result.GetValue(_format) is not { } name) return;
            if (ExportFormat.Find(name) is not { } format) result.AddError($"--format is one of {string.Join(", ", ExportFormat.All.Select(known => known.Name))}; '{name}' is not.");
            else if (format.HoldsSpecification && result.GetValue(_policy) is null) result.AddError($"--format {name} shows the policy to the teacher: give it with --policy.");
            if (result.GetValue(_name) is { } set && (set.Length == 0 || set.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_')))) result.AddError($"--name takes letters, digits, '-' and '_'; '{set}' has others.");
        });
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var (run, path, format) = (parse.GetRequiredValue(_run), parse.GetRequiredValue(_out), ExportFormat.Find(parse.GetRequiredValue(_format))!);
        var training = Path.Combine(run, "training.jsonl");
        if (!File.Exists(training)) throw new FileNotFoundException($"{training}: not there. Distil first: deliberate distill --out {run}");
        var kept = TrainingFile.Read(training);
        var rejected = Path.Combine(run, "rejected.jsonl") is var file && File.Exists(file) ? RejectedFile.Read(file) : [];
        var policy = parse.GetValue(_policy) is { } folder ? Policy.Load(folder) : null;
        var reviewed = ReviewedData.Apply(kept, rejected, ReviewFile.Read(run), policy is null ? null : ReviewedData.SpecsOf(policy, parse.GetValue(_budget)));
        (kept, rejected) = (reviewed.Kept, reviewed.Rejected);
        var options = new ExportOptions { ThinkTags = parse.GetValue(_thinkTags), Name = parse.GetRequiredValue(_name), SpecOf = policy is null ? null : SpecsOf(policy, parse.GetValue(_budget)) };
        var result = await format.WriteAsync(path, kept, options, cancel);

        var card = format is LlamaFactory ? Path.Combine(path, "data-card.md") : path + ".card.md";
        AtomicFile.WriteText(card, DataCard.Write($"Data card of {options.Name}", kept, rejected, [(format.Name, Path.GetFileName(result.Files[0]))]));
        var reviews = format is LlamaFactory ? Path.Combine(path, ReviewFile.Name) : $"{path}.{ReviewFile.Name}";
        if (reviewed.Applied.Count > 0) JsonLines.Write(reviews, reviewed.Applied);
        Facts.Write(_terminal,
        [
            ("rows", result.Rows.ToString(CultureInfo.InvariantCulture)),
            .. result.LeftOut.Select(reason => ("left out", string.Create(CultureInfo.InvariantCulture, $"{reason.Value} with {reason.Key}"))),
            .. reviewed.Applied.GroupBy(review => review.Decision).Select(group => ("reviewed", string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {WordOf(group.Key)}"))),
            .. reviewed.Refused.Select(refused => ("review refused", $"{refused.Review.Sample}: {refused.Reason}")),
            .. result.Files.Append(card).Concat(reviewed.Applied.Count > 0 ? [reviews] : []).Select(written => ("file", written)),
        ]);
        return ExitCodes.Success;
    }

    private static string WordOf(ReviewDecision decision) => decision switch { ReviewDecision.Approve => "approved", ReviewDecision.Edit => "edited", _ => "rejected" };

    private static Func<TrainingExample, Spec> SpecsOf(Policy policy, int budget)
    {
        var spec = ReviewedData.SpecsOf(policy, budget);
        return example => example.Provenance.PolicyHash == policy.Hash ? spec(example.Provenance.Category)
            : throw new InvalidDataException($"{policy.Folder} has the hash {policy.Hash}, but example '{example.Id}' was written under {example.Provenance.PolicyHash ?? "no policy"}: give the policy of the run.");
    }
}
