using System.CommandLine;
using Deliberate.Cli.Commands;
using Deliberate.Pipeline;
using Xunit;

namespace Deliberate.Cli.Tests;

public class AlignmentArgumentsTests
{
    private static AlignmentOptions Read(string line)
    {
        var command = new Command("run");
        var arguments = new AlignmentArguments(command);
        var parse = command.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(parse.Errors);
        return arguments.Read(parse);
    }

    [Fact]
    public void Defaults_are_seed_1_all_arms_the_whole_budget_and_the_shipped_model()
    {
        var options = Read("--policy policies/ours/");
        Assert.Equal(("policies/ours/", Path.Combine("runs", "ours-seed1"), (string?)null, 1, Budget.Default), (options.PolicyFolder, options.Out, options.ModelFolder, options.Seed, options.Budget));
        Assert.Equal(Arms.All, options.Arms);
    }

    [Fact]
    public void Every_option_is_taken()
    {
        var options = Read("--policy p --seed 12 --out o --arms sft+rl,base,sft,sft --budget small --model m");
        Assert.Equal(("p", "o", "m", 12, Budget.Small), (options.PolicyFolder, options.Out, options.ModelFolder, options.Seed, options.Budget));
        Assert.Equal(["base", "sft", "sft+rl"], options.Arms);
    }

    [Fact]
    public void A_small_run_has_a_folder_of_its_own() => Assert.Equal(Path.Combine("runs", "ours-seed3-small"), Read("--policy ours --seed 3 --budget small").Out);
}
