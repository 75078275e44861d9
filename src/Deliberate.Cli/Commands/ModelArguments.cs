using System.CommandLine;
using Deliberate.Endpoints.Models;
using Deliberate.Pipeline.Clients;

namespace Deliberate.Cli.Commands;

/// <summary>The options that say which models answer, judge and grade. What an option does not say, <c>deliberate.yaml</c> in the current directory may.</summary>
internal sealed class ModelArguments
{
    private const string Forms = "miniature, openai:MODEL@URL, ollama:MODEL, local:PATH, or a name in deliberate.yaml.";

    private readonly Option<string> _base = new("--base") { HelpName = "MODEL", Description = $"Answers the prompts with the policy in its context: {Forms} [default: base of deliberate.yaml, else the model that is trained]" };
    private readonly Option<string> _judge = new("--judge") { HelpName = "MODEL", Description = "Judges for training, named as for --base. [default: judge of deliberate.yaml, else the base model]" };
    private readonly Option<string> _grader = new("--grader") { HelpName = "MODEL", Description = "With --prompts: judges for measuring, another than --judge. [default: grader of deliberate.yaml, else none]" };
    private readonly Option<string> _models = new("--models") { HelpName = "FILE", Description = $"Names and settings of models. [default: {ModelFile.FileName} in the current directory, when it is there]" };
    private readonly Option<string> _responses = new("--responses") { HelpName = "FILE", Description = $"The store of endpoints' responses, shared by all runs. [default: {ModelRoles.DefaultResponses}]" };
    private readonly Option<bool> _retryFailed = new("--retry-failed") { Description = "Make calls again that failed for good earlier." };

    /// <summary>Adds the options to a command.</summary>
    public ModelArguments(Command command)
    {
        foreach (var option in (Option[])[_base, _judge, _grader, _models, _responses, _retryFailed]) command.Options.Add(option);
    }

    /// <summary>The models.</summary>
    /// <exception cref="ModelSettingsException">A name or a field of the file is wrong.</exception>
    public ModelRoles Read(ParseResult parse)
    {
        ArgumentNullException.ThrowIfNull(parse);
        var path = parse.GetValue(_models) ?? (File.Exists(ModelFile.FileName) ? ModelFile.FileName : null);
        var known = path is null ? new Dictionary<string, ModelSettings>() : ModelFile.Read(path).Models;
        ModelSettings? Role(Option<string> option, string name) => parse.GetValue(option) is { } given
            ? known.GetValueOrDefault(given) ?? new ModelSettings { Name = Name(option, given) }
            : known.GetValueOrDefault(name);
        return new()
        {
            Base = Role(_base, "base"),
            Judge = Role(_judge, "judge"),
            Grader = Role(_grader, "grader"),
            Responses = parse.GetValue(_responses) ?? ModelRoles.DefaultResponses,
            RetryFailed = parse.GetValue(_retryFailed),
        };
    }

    /// <summary>A model by its name; null when it is none.</summary>
    public static ModelSettings? Find(string name)
    {
        if (File.Exists(ModelFile.FileName) && ModelFile.Read(ModelFile.FileName).Models.GetValueOrDefault(name) is { } known) return known;
        return ModelName.TryParse(name, out var parsed, out _) ? new() { Name = parsed } : null;
    }

    private static ModelName Name(Option option, string text) =>
        ModelName.TryParse(text, out var name, out var problem) ? name : throw new ModelSettingsException($"{option.Name}: {problem}");
}
