using System.CommandLine;
using Deliberate.Conversations;
using Deliberate.Endpoints.Models;
using Deliberate.Pipeline;
using Deliberate.Pipeline.Clients;
using Deliberate.Policies;
using Deliberate.Prompts;
using Deliberate.Server.Chat;
using Deliberate.Serving;

namespace Deliberate.Cli.Commands;

/// <summary>The options that say which models are served, and by which policy.</summary>
internal sealed class ServedArguments
{
    private readonly Option<string> _run = new("--run") { HelpName = "FOLDER", Description = "The run whose models to serve." };
    private readonly Option<string[]> _arm = new("--arm") { HelpName = "ARM", Description = $"Which of its models, by the name of the arm; may be given several times. [default: {Arms.SftRl}]" };
    private readonly Option<string> _model = new("--model") { HelpName = "MODEL", Description = "A model to serve instead: a folder, miniature, openai:MODEL@URL, ollama:MODEL, hf:OWNER/NAME, or a name in deliberate.yaml." };
    private readonly Option<string> _name = new("--name") { HelpName = "NAME", Description = "With --model: the name by which callers ask for it. [default: its own]" };
    private readonly Option<string> _policy = new("--policy") { HelpName = "FOLDER", Description = "The policy that is served: put into the context of a --model and kept out of its answers. [default with --run: the run's]" };
    private readonly Option<bool> _trained = new("--trained") { Description = "The --model was trained on the policy: it is not put into its context." };
    private readonly Option<string> _category = new("--category") { HelpName = "CATEGORY", Description = "The category of the policy that is put into the context in full." };
    private static readonly Dictionary<string, AnswerStreaming> Streamings = new() { ["certain"] = AnswerStreaming.WhenCertain, ["eager"] = AnswerStreaming.AsTheyCome, ["whole"] = AnswerStreaming.WhenWhole };

    private readonly Option<AnswerStreaming> _stream = OptionsOf.Choice("--stream", "When answers are streamed: as soon as it is certain that they are no thought, at the first mark that ends a thought, or whole. [default: certain]", Streamings);
    private readonly Option<bool> _label = new("--label") { Description = "The model says for each conversation which category is put into the context in full." };

    /// <summary>Adds the options to a command.</summary>
    public ServedArguments(Command command)
    {
        foreach (var option in (Option[])[_run, _arm, _model, _name, _policy, _trained, _category, _label, _stream]) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            var (run, model, policy, trained) = (result.GetValue(_run), result.GetValue(_model), result.GetValue(_policy), result.GetValue(_trained));
            var inContext = result.GetValue(_category) is not null || result.GetValue(_label);
            if (run is not null && model is not null) result.AddError("Give either --run FOLDER or --model MODEL.");
            else if (result.GetValue(_arm) is { Length: > 0 } arms && (run is null || arms.FirstOrDefault(arm => !Arms.All.Contains(arm)) is not null))
                result.AddError(run is null ? "--arm goes with --run." : $"--arm: '{arms.First(arm => !Arms.All.Contains(arm))}' is no arm; known: {string.Join(", ", Arms.All)}.");
            else if (model is null && (result.GetValue(_name) is not null || trained || inContext)) result.AddError("--name, --trained, --category and --label go with --model.");
            else if (policy is null && (trained || inContext)) result.AddError("--trained, --category and --label go with --policy.");
            else if (trained && inContext) result.AddError("--category and --label are for a policy in the context, and --trained keeps it out.");
        });
    }

    /// <summary>The policy that the command line names, or null.</summary>
    /// <exception cref="PolicyException">It cannot be read.</exception>
    public Policy? PolicyOf(ParseResult parse) => parse.GetValue(_policy) is { } folder ? Policy.Load(folder) : null;

    /// <summary>Opens the models.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="owned">Gets what is to be disposed when serving ends.</param>
    /// <exception cref="AlignmentException">A model cannot be opened, or the run's policy has changed.</exception>
    /// <exception cref="PolicyException">The policy cannot be read.</exception>
    public IReadOnlyList<ServedModelOptions> Open(ParseResult parse, ICollection<IDisposable> owned)
    {
        IReadOnlyList<ServedModelOptions> models = parse.GetValue(_model) is { } model ? [OpenModel(parse, model, owned)]
            : parse.GetValue(_run) is not { } run ? []
            : [.. (parse.GetValue(_arm) is { Length: > 0 } given ? given.Distinct() : [Arms.SftRl]).Select(arm => OpenArm(run, arm, parse.GetValue(_policy), owned))];
        return parse.GetResult(_stream) is { Implicit: false }
            ? [.. models.Select(served => served with { Thinking = served.Thinking with { Streaming = parse.GetValue(_stream) } })] : models;
    }

    private static ServedModelOptions OpenArm(string run, string name, string? folder, ICollection<IDisposable> owned)
    {
        var arm = ArmModels.Open(run, name);
        owned.Add(arm);
        folder ??= arm.PolicyFolder!;
        var policy = Policy.Load(folder);
        if (policy.Hash != arm.PolicyHash)
            throw new AlignmentException($"{folder} has changed since the run ({policy.Hash}, then {arm.PolicyHash}), so that cited clauses cannot be looked up: give that version with --policy FOLDER.");
        var served = Local(name, arm, policy);
        // It was trained to think, and where no token ends a thought it may leave out the mark that opens one.
        return arm.EndsByToken || name is not (Arms.Sft or Arms.SftRl) ? served : served with { Thinking = new() { Start = ThoughtStart.Unknown } };
    }

    private ServedModelOptions OpenModel(ParseResult parse, string model, ICollection<IDisposable> owned)
    {
        var (folder, trained) = (parse.GetValue(_policy), parse.GetValue(_trained));
        var policy = folder is null ? null : Policy.Load(folder);
        var settings = ModelArguments.Find(model) ?? (Directory.Exists(model) ? new() { Name = new(ModelKind.Local, Path: model) }
            : throw new AlignmentException($"--model: '{model}' is no model: write a folder, miniature, openai:MODEL@URL, ollama:MODEL, hf:OWNER/NAME, or a name in deliberate.yaml."));
        var name = parse.GetValue(_name);
        ServedModelOptions served;
        if (settings.Name.Address is not null)
        {
            var client = settings.CreateClient();
            owned.Add(client);
            // A reply without any thought can be streamed only where it is known that none comes in its text.
            served = new(name ?? settings.Name.Model!, client) { Fingerprint = settings.Name.ToString(), Policy = policy, Trained = policy is null || trained, Thinking = new() { Start = settings.ThinkingOpened == false ? ThoughtStart.Answer : ThoughtStart.Unknown } };
        }
        else
        {
            var path = settings.Name.Path ?? ShippedModel.Folder;
            var own = LocalChat.IsMiniature(path);
            if (own && (parse.GetValue(_category) ?? (parse.GetValue(_label) ? "" : null)) is not null) throw new AlignmentException("--category and --label are for models with a chat template: the miniature reads the whole policy.");
            var arm = ArmModels.OpenModel(path, own && !trained ? folder : null);
            owned.Add(arm);
            served = Local(name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), arm, policy) with { Trained = policy is null || trained };
        }

        if (served.Trained || served.Spec is not null) return served;
        return served with
        {
            InContext = new() { Category = parse.GetValue(_category), Labeller = parse.GetValue(_label) ? new CategoryLabeller(served.Client, policy!, new AskOptions(ThinkingOpened: settings.ThinkingOpened ?? false)) : null },
        };
    }

    // The engine gives the thought apart from the answer, and takes a budget for it.
    private static ServedModelOptions Local(string name, LocalArm arm, Policy? policy) => new(name, arm.Client)
    {
        Policy = policy,
        Trained = arm.SystemMessages.Count == 0,
        Spec = arm.SystemMessages.Count == 0 ? null : new Spec(arm.SystemMessages[0].Text, null, policy?.Hash ?? ""),
        InContext = new() { Write = static spec => spec.Text },
        Thinking = new() { Start = ThoughtStart.Answer },
        TakesBudget = true,
    };
}
