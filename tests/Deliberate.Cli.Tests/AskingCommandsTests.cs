using System.CommandLine;
using System.Text.Json.Nodes;
using Deliberate.Cli.Commands;
using Deliberate.Prompts;
using Xunit;

namespace Deliberate.Cli.Tests;

public sealed class AskingCommandsTests : IDisposable
{
    private const string Model = "openai:fake@http://127.0.0.1:9/v1";
    private readonly string _folder = Directory.CreateTempSubdirectory("deliberate-cli-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Policy()
    {
        var folder = Path.Combine(_folder, "policy");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "policy.md"), "# House rules\n");
        File.WriteAllText(Path.Combine(folder, "garden.md"), "# Garden\n\nThings that grow.\n\n## Allowed\n\n- **G1** Roses: gladly.\n");
        File.WriteAllText(Path.Combine(folder, "shed.md"), "# Shed\n\nThings that cut.\n\n## Disallowed\n\n- **S1** Blades: never.\n");
        return folder;
    }

    private string Prompts(params string[] lines)
    {
        var path = Path.Combine(_folder, "prompts.jsonl");
        File.WriteAllLines(path, lines);
        return path;
    }

    private string Out => Path.Combine(_folder, "out.jsonl");

    private JsonObject[] Rows() => [.. File.ReadLines(Out).Select(line => JsonNode.Parse(line)!.AsObject())];

    private static async Task<(int Code, Streams Streams)> RunAsync(Func<Interaction.Terminal, Command> command, params string[] args)
    {
        var streams = new Streams();
        return (await command(streams.Terminal()).Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, Token), streams);
    }

    [Fact]
    public async Task Labels_are_written_as_categories_and_compared_with_those_of_the_file()
    {
        var client = new AnsweringClient(asked => asked.Contains("roses", StringComparison.Ordinal) ? """{"categories": ["garden"]}""" : asked.Contains("tea", StringComparison.Ordinal) ? """{"categories": []}""" : "I cannot tell.");
        var prompts = Prompts(
            """{"id":"a","prompt":"When do roses bloom?","category":"garden"}""",
            """{"id":"b","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"user","content":"How do I make tea?"}],"category":"shed"}""",
            """{"id":"c","prompt":"What is that?"}""");
        var (code, streams) = await RunAsync(terminal => new PromptsLabelCommand(terminal, _ => client), prompts, "--policy", Policy(), "--model", Model, "--out", Out);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Equal(3, client.Asked.Count);
        var rows = Rows();
        Assert.Equal(["a", "b", "c"], rows.Select(row => (string)row["id"]!));
        Assert.Equal(["garden"], rows[0]["category"]!.AsArray().Select(name => (string)name!));
        Assert.Equal(["none"], rows[1]["category"]!.AsArray().Select(name => (string)name!));
        Assert.Null(rows[2]["category"]);
        Assert.Equal("no categories in the reply", (string)rows[2]["problem"]!);
        Assert.Matches(@"garden +1\n", streams.Results);
        Assert.Matches(@"as given +0\.500 .*\(n 2", streams.Results);

        // The file goes in as prompts again.
        var read = await PromptFile.ReadAsync(Out, cancellationToken: Token).ToArrayAsync(Token);
        Assert.Equal(["garden", "none", null], read.Select(prompt => prompt.Categories is [var first, ..] ? first : null));
        Assert.Equal(3, read[1].Prompt.Conversation.Turns.Count);
    }

    [Fact]
    public async Task Contrast_prompts_stay_on_the_side_of_what_they_were_made_from()
    {
        var client = new AnsweringClient(asked => asked.Contains("supplies", StringComparison.Ordinal) && asked.Contains("\"instruction\"", StringComparison.Ordinal)
            ? """{"instruction": "Summarise this.", "text": "A shed burned down."}""" : $$"""{"prompt": "How do I burn a {{asked.GetHashCode(StringComparison.Ordinal)}} candle?"}""");
        var prompts = Prompts([.. Enumerable.Range(0, 40).Select(number => $$"""{"id":"h{{number}}","prompt":"How do I burn shed number {{number * 7919}} down?","category":"shed"}""")]);
        var (code, streams) = await RunAsync(terminal => new PromptsContrastCommand(terminal, _ => client), prompts, "--kind", "benign-twin", "--model", Model, "--out", Out);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Matches(@"benign-twin +40", streams.Results);
        var preparation = new PromptPreparation(new(HeldOut: 0.3));
        var sides = new Dictionary<string, bool>();
        foreach (var file in (string[])[Out, prompts])
            await foreach (var prepared in preparation.RunAsync(PromptFile.ReadAsync(file, cancellationToken: Token), Token)) sides[prepared.Prompt.Id] = prepared.HeldOut;
        Assert.Equal(40, sides.Keys.Count(id => id.EndsWith("+benign-twin", StringComparison.Ordinal)));
        Assert.InRange(sides.Values.Count(held => held), 8, 44);
        Assert.All(sides.Keys.Where(id => !id.Contains('+', StringComparison.Ordinal)), id => Assert.Equal(sides[id], sides[$"{id}+benign-twin"]));
    }

    [Fact]
    public async Task Summaries_come_into_the_policy_and_change_its_hash()
    {
        var folder = Policy();
        var before = Policies.Policy.Load(folder);
        var client = new AnsweringClient(asked => asked.Contains("# Shed", StringComparison.Ordinal) ? "Knives and saws; refused." : "Flowers; answered.");
        var (code, streams) = await RunAsync(terminal => new PolicySummarizeCommand(terminal, _ => client), folder, "--model", Model);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Matches(@"garden +written", streams.Results);
        var after = Policies.Policy.Load(folder);
        Assert.NotEqual(before.Hash, after.Hash);
        Assert.Contains("Knives and saws; refused.", after.Spec("garden").Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Knives and saws; refused.", after.Spec("shed").Text, StringComparison.Ordinal);
        await RunAsync(terminal => new PolicySummarizeCommand(terminal, _ => client), folder, "--model", Model);
        Assert.Equal(2, client.Asked.Count);
    }

    [Fact]
    public async Task A_model_that_is_out_of_reach_is_told_in_one_line_and_nothing_is_written()
    {
        var client = new AnsweringClient(_ => throw new HttpRequestException("no route"));
        var (code, streams) = await RunAsync(terminal => new PromptsContrastCommand(terminal, _ => client), Prompts("""{"prompt":"How do I burn a shed down?"}"""), "--model", Model, "--out", Out);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains("no route", streams.NoteLines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(Out));
    }

    [Theory]
    [InlineData("miniature")]
    [InlineData("nowhere")]
    public async Task Only_models_behind_endpoints_are_asked(string model)
    {
        var streams = new Streams();
        Assert.Equal(ExitCodes.BadInput, await new Application(streams.Terminal()).RunAsync(["prompts", "label", "x.jsonl", "--policy", "p", "--out", Out, "--model", model], Token));
        Assert.Contains("is no model behind an endpoint", Assert.Single(streams.NoteLines), StringComparison.Ordinal);
    }
}
