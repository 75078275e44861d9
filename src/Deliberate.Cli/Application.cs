using System.CommandLine;
using System.CommandLine.Help;
using Deliberate.Cli.Commands;
using Deliberate.Cli.Interaction;

namespace Deliberate.Cli;

/// <summary>The whole command line: parses, runs the command and turns every failure into one line and an exit code.</summary>
internal sealed class Application(Terminal terminal)
{
    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public async Task<int> RunAsync(string[] args, CancellationToken cancel = default)
    {
        var parse = Root().Parse(args.Length == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parse.Errors.Count > 0)
        {
            // An unknown word comes with complaints that only follow from it ("Required command was not provided.").
            var first = parse.Errors.FirstOrDefault(error => parse.UnmatchedTokens.Any(token => error.Message.Contains(token, StringComparison.Ordinal))) ?? parse.Errors[0];
            terminal.Error($"{first.Message} See '{CommandLine.Path(parse.CommandResult)} --help'.");
            return ExitCodes.BadInput;
        }

        try
        {
            return await parse.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = terminal.Results,
                Error = terminal.Notes,
            }, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            terminal.Note(parse.CommandResult.Command is IResumable command
                ? $"stopped: finished work is kept in {command.KeptIn(parse)}. To go on: {CommandLine.Text(args)}"
                : "stopped.");
            return ExitCodes.Cancelled;
        }
#pragma warning disable CA1031 // whatever went wrong, the user gets one line
        catch (Exception exception)
        {
            return Failures.Tell(terminal, exception);
        }
#pragma warning restore CA1031
    }

    private Command Root() => new("deliberate", "Aligns a language model to a written policy by Deliberative Alignment, and shows the evidence.")
    {
        new HelpOption { Recursive = true },
        new VersionOption(),
        new RunCommand(terminal),
        new StageCommand(terminal, "generate", "Let the base model answer training prompts with the policy in its context."),
        new StageCommand(terminal, "judge", "Let the judge score the samples by the policy, several times each; the lowest score counts.") { new JudgeCalibrateCommand(terminal) },
        new StageCommand(terminal, "distill", "Keep the samples judged good, take the policy out, check for leaks and write training examples."),
        new StageCommand(terminal, "sft", "Fine-tune on thoughts and answers without the policy."),
        new StageCommand(terminal, "rl", "Reinforce: the judge rewards answers and never sees thoughts."),
        new StageCommand(terminal, "eval", "Measure every arm on prompts held out of training."),
        new ReportCommand(terminal),
        new ExportCommand(terminal),
        new WhatIfCommand(terminal),
        new ChatCommand(terminal),
        new ServeCommand(terminal),
        new KeysCommand(terminal),
        new AuditCommand(terminal),
        new PolicyCommand(terminal),
        new PromptsCommand(terminal),
        new RunsCommand(terminal),
        new DashboardCommand(terminal),
        new PretrainCommand(terminal),
        new ModelCommand(terminal),
    };
}
