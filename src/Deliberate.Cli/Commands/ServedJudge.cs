using System.CommandLine;
using Deliberate.Endpoints.Models;
using Deliberate.Judging;
using Deliberate.Pipeline;
using Deliberate.Pipeline.Clients;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Commands;

/// <summary>The options that say which judge is lent to trainers.</summary>
internal sealed class ServedJudge
{
    private static readonly string[] Formats = ["paper", "safeguard"];

    private readonly Option<string> _judge = new("--judge") { HelpName = "MODEL", Description = "Rewards the answers of other trainers by the policy: a folder, openai:MODEL@URL, ollama:MODEL, hf:OWNER/NAME, or a name in deliberate.yaml. [default: no rewards]" };
    private readonly Option<string> _format = new("--judge-format") { HelpName = "paper|safeguard", Description = "How the judge is asked. [default: as deliberate.yaml says, else paper]" };
    private readonly Option<int> _runs = OptionsOf.Number("--judge-runs", "Runs on each answer; the lowest score counts.", 1, 4);

    /// <summary>Adds the options to a command.</summary>
    public ServedJudge(Command command)
    {
        foreach (var option in (Option[])[_judge, _format, _runs]) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_judge) is null && result.GetValue(_format) is not null) result.AddError("--judge-format goes with --judge.");
            if (result.GetValue(_format) is { } format && !Formats.Contains(format)) result.AddError($"--judge-format is one of {string.Join(", ", Formats)}; '{format}' is not.");
        });
    }

    /// <summary>Whether there is to be a judge.</summary>
    public bool IsGiven(ParseResult parse) => parse.GetValue(_judge) is not null;

    /// <summary>Opens the judge; null: there is to be none.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="owned">Gets what is to be disposed when serving ends.</param>
    /// <exception cref="AlignmentException">There is no such model, or it cannot be opened.</exception>
    public IAnswerJudge? Open(ParseResult parse, ICollection<IDisposable> owned)
    {
        if (parse.GetValue(_judge) is not { } name) return null;
        var settings = ModelArguments.Find(name) ?? (Directory.Exists(name) ? new() { Name = new(ModelKind.Local, Path: name) }
            : throw new AlignmentException($"--judge: '{name}' is no model: write a folder, openai:MODEL@URL, ollama:MODEL, hf:OWNER/NAME, or a name in deliberate.yaml."));
        var client = Client(settings, owned);
        return new Judge(client, (parse.GetValue(_format) ?? settings.Format) == "safeguard" ? new SafeguardJudgeFormat(0) : new PaperJudgeFormat(0), new(parse.GetValue(_runs), ThinkingOpened: settings.ThinkingOpened ?? false));
    }

    private static IChatClient Client(ModelSettings settings, ICollection<IDisposable> owned)
    {
        if (settings.Name.Address is not null)
        {
            var remote = settings.CreateClient();
            owned.Add(remote);
            return remote;
        }

        if (settings.Name.Path is not { } path || LocalChat.IsMiniature(path)) throw new AlignmentException("--judge: the miniature judges its own small world only; name a model that reads policies in plain words.");
        var local = LocalChat.Open(path);
        owned.Add(local);
        return local.Client;
    }
}
