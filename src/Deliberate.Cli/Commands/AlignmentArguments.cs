using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Deliberate.Pipeline;

namespace Deliberate.Cli.Commands;

/// <summary>The options that <c>run</c>, its stages and <c>whatif</c> share.</summary>
internal sealed class AlignmentArguments
{
    private static readonly Dictionary<string, Budget> Budgets = new() { ["small"] = Pipeline.Budget.Small, ["default"] = Pipeline.Budget.Default };

    private readonly Option<string> _policy = new("--policy") { HelpName = "FOLDER", Description = "The policy. [default: policies/example]" };
    private readonly Option<int> _seed = OptionsOf.Number("--seed", "The seed of all randomness.", 0, 1);
    private readonly Option<string> _out = new("--out") { HelpName = "FOLDER", Description = "Where the run keeps everything. [default: runs/POLICY-seedN, with -small at the end for the small budget]" };
    private readonly Option<string[]> _arms;
    private readonly Option<Budget> _budget = OptionsOf.Choice("--budget", "How much to spend: 'small' shows that all works, its figures are rough. [default: default]", Budgets);
    private readonly Option<string> _model = new("--model") { HelpName = "FOLDER", Description = "The model that is trained. [default: the base model if it is local, else models/miniature, which is shipped]" };

    /// <summary>Adds the options to a command.</summary>
    public AlignmentArguments(Command command)
    {
        _arms = new("--arms") { HelpName = "A,B,...", Description = $"The arms to compare, or with --prompts to measure, of {string.Join(", ", Pipeline.Arms.All)}. [default: all that there are]", CustomParser = ReadArms };
        foreach (var option in (Option[])[_policy, _seed, _out, _arms, _budget, _model]) command.Options.Add(option);
        Models = new(command);
    }

    /// <summary>The options that go with the miniature's world alone.</summary>
    public IReadOnlyList<Option> OfTheWorld => [_budget, _model];

    /// <summary>Who answers, judges and grades.</summary>
    public ModelArguments Models { get; }

    /// <summary>The policy's folder.</summary>
    /// <exception cref="DirectoryNotFoundException">No policy is given and the example is not there.</exception>
    public string Policy(ParseResult parse) => parse.GetValue(_policy) ?? Shown(ShippedModel.Find(Path.Combine("policies", "example")))
        ?? throw new DirectoryNotFoundException("no folder policies/example is beside the program or above the current directory; give a policy with --policy.");

    /// <summary>The seed.</summary>
    public int Seed(ParseResult parse) => parse.GetValue(_seed);

    /// <summary>The run's folder, or null when none is given.</summary>
    public string? Out(ParseResult parse) => parse.GetValue(_out);

    /// <summary>The arms that are asked for; empty when none is named.</summary>
    public IReadOnlyList<string> Arms(ParseResult parse) => parse.GetValue(_arms) ?? [];

    /// <summary>The options as the pipeline takes them.</summary>
    /// <exception cref="DirectoryNotFoundException">No policy is given and the example is not there.</exception>
    public AlignmentOptions Read(ParseResult parse)
    {
        ArgumentNullException.ThrowIfNull(parse);
        var policy = Policy(parse);
        var (seed, budget) = (parse.GetValue(_seed), parse.GetValue(_budget));
        return new AlignmentOptions
        {
            PolicyFolder = policy,
            Out = parse.GetValue(_out) ?? DefaultOut(policy, seed, budget),
            ModelFolder = parse.GetValue(_model),
            Models = Models.Read(parse),
            Seed = seed,
            Budget = budget,
            Arms = Arms(parse) is { Count: > 0 } arms ? arms : Pipeline.Arms.All,
        };
    }

    /// <summary>"runs/example-seed1", or "runs/example-seed1-small": a small run does not take a whole one's folder.</summary>
    public static string DefaultOut(string policy, int seed, Budget budget)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(policy)));
        return Path.Combine("runs", string.Create(CultureInfo.InvariantCulture, $"{name}-seed{seed}{(budget == Pipeline.Budget.Small ? "-small" : "")}"));
    }

    /// <summary>A path as people like to read it: relative to the current directory when it lies below it.</summary>
    private static string? Shown(string? path) =>
        path is null ? null : Path.GetRelativePath(Directory.GetCurrentDirectory(), path) is var relative && !relative.StartsWith("..", StringComparison.Ordinal) ? relative : path;

    private static string[] ReadArms(ArgumentResult result)
    {
        var wanted = result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (wanted.Length == 0) result.AddError($"--arms names no arm; known: {string.Join(", ", Pipeline.Arms.All)}.");
        foreach (var unknown in wanted.Except(Pipeline.Arms.All).Take(1)) result.AddError($"--arms: '{unknown}' is no arm; known: {string.Join(", ", Pipeline.Arms.All)}.");
        return [.. Pipeline.Arms.All.Where(wanted.Contains)];
    }
}
