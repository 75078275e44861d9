using System.Text.RegularExpressions;
using Xunit;

namespace Deliberate.EndToEnd.Tests;

public partial class BadInputTests(Runs runs)
{
    private string Folder() => runs[Guid.NewGuid().ToString("N")];

    private static async Task AssertOneLineAsync(string[] args, params string[] expected)
    {
        var result = await CliProcess.RunAsync(args);
        Assert.Equal(2, result.Code);
        Assert.Empty(result.Out);
        var line = Assert.Single(result.ErrorLines);
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.All(expected, part => Assert.Contains(part, line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("run --colour blue", "'--colour'")]
    [InlineData("align", "'align'")]
    [InlineData("run --arms sft,magic", "'magic' is no arm")]
    [InlineData("run --seed first", "'first' is not")]
    [InlineData("run --budget tiny", "'tiny' is not")]
    [InlineData("whatif --action refuse", "'--clause'")]
    public Task A_wrong_word_on_the_command_line_is_named(string line, string expected) => AssertOneLineAsync(line.Split(' '), expected);

    [Theory]
    [InlineData("run")]
    [InlineData("generate")]
    [InlineData("policy show")]
    public Task A_missing_policy_folder_is_named(string command)
    {
        var folder = Folder();
        return AssertOneLineAsync(command.StartsWith("policy", StringComparison.Ordinal) ? [.. command.Split(' '), folder] : [command, "--policy", folder, "--out", Folder()], folder);
    }

    [Fact]
    public Task A_policy_folder_without_its_main_file_is_named()
    {
        var folder = Shipped.Copy(Shipped.Policy, Folder());
        File.Delete(Path.Combine(folder, "policy.md"));
        return AssertOneLineAsync(["run", "--policy", folder, "--out", Folder()], "policy.md");
    }

    [Fact]
    public async Task A_clause_code_that_is_used_twice_is_named_with_its_place()
    {
        var folder = Shipped.Copy(Shipped.Policy, Folder());
        var file = Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).First(path => File.ReadLines(path).Any(line => ClauseLine().IsMatch(line)));
        var lines = (await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken)).ToList();
        var at = lines.FindIndex(ClauseLine().IsMatch);
        lines.Insert(at, lines[at]);
        await File.WriteAllLinesAsync(file, lines, TestContext.Current.CancellationToken);
        var code = ClauseLine().Match(lines[at]).Groups[1].Value;
        await AssertOneLineAsync(["run", "--policy", folder, "--out", Folder()], code, $"{Path.GetFileName(file)}:");
        var check = await CliProcess.RunAsync("policy", "check", folder);
        Assert.Equal(1, check.Code);
        Assert.Matches($@"(?m)^{Regex.Escape(file)}:\d+: error: .*{code}", check.Out);
    }

    [Fact]
    public Task A_token_budget_that_is_too_small_is_named() => AssertOneLineAsync(["policy", "show", Shipped.Policy, "--budget", "5"], "5", "budget");

    [Fact]
    public async Task A_model_that_is_cut_off_is_named()
    {
        Shipped.NeedModel();
        var model = Shipped.Copy(Shipped.Model, Folder());
        using (var weights = File.OpenWrite(Path.Combine(model, "model.safetensors"))) weights.SetLength(weights.Length / 2);
        await AssertOneLineAsync(["run", "--model", model, "--out", Folder()], "model.safetensors");
        await AssertOneLineAsync(["chat", "--model", model], "model.safetensors");
    }

    [Fact]
    public async Task A_model_with_a_damaged_header_is_named()
    {
        Shipped.NeedModel();
        var model = Shipped.Copy(Shipped.Model, Folder());
        using (var weights = File.Open(Path.Combine(model, "model.safetensors"), FileMode.Open))
        {
            weights.Position = 9;
            weights.WriteByte((byte)'!');
        }

        await AssertOneLineAsync(["run", "--model", model, "--out", Folder()], "model.safetensors");
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("config.json")]
    public async Task A_model_that_lacks_a_file_is_named(string file)
    {
        Shipped.NeedModel();
        var model = Shipped.Copy(Shipped.Model, Folder());
        File.Delete(Path.Combine(model, file));
        await AssertOneLineAsync(["run", "--model", model, "--out", Folder()], file, model);
    }

    [Fact]
    public async Task A_clause_that_the_policy_does_not_have_is_named()
    {
        Shipped.NeedModel();
        await AssertOneLineAsync(["whatif", "--clause", "ZZZ999", "--action", "refuse", "--budget", "small", "--out", Folder()], "ZZZ999");
    }

    [Fact]
    public Task A_run_that_is_not_there_is_named()
    {
        var folder = Folder();
        return AssertOneLineAsync(["chat", "--run", folder], folder);
    }

    [GeneratedRegex(@"^\s*[-*]\s.*?\b([A-Z]{1,4}[0-9]{1,3})\b")]
    private static partial Regex ClauseLine();
}
