using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Pipeline;
using Xunit;

namespace Deliberate.Cli.Tests;

public sealed class ModelCommandsTests
{
    private static async Task<(int Code, Streams Streams)> RunAsync(string input, params string[] args)
    {
        var streams = new Streams(input);
        return (await new Application(streams.Terminal()).RunAsync(["model", .. args], TestContext.Current.CancellationToken), streams);
    }

    private static JsonNode[] Lines(Streams streams) => [.. streams.Results.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];

    [Fact]
    public async Task What_is_encoded_is_decoded_again()
    {
        string[] texts = ["the man", "a \"quoted\" é 漢 🙂\nline"];
        var (code, encoded) = await RunAsync(string.Join('\n', texts.Select(text => JsonSerializer.Serialize(text))), "encode", ShippedModel.Folder);
        Assert.Equal(ExitCodes.Success, code);
        var (_, decoded) = await RunAsync(encoded.Results, "decode", ShippedModel.Folder);
        Assert.Equal(texts, Lines(decoded).Select(line => (string)line!));
    }

    [Fact]
    public async Task A_bad_line_is_an_error_in_its_place_and_the_next_goes_on()
    {
        var (code, streams) = await RunAsync("[1, 2]\noops\n\"text\"\n[999999]\n[3]\n", "greedy", ShippedModel.Folder, "--tokens", "3");
        Assert.Equal(ExitCodes.Success, code);
        var lines = Lines(streams);
        Assert.Equal(5, lines.Length);
        Assert.Equal(3, lines[0].AsArray().Count);
        Assert.StartsWith("the line is no JSON", (string)lines[1]["error"]!, StringComparison.Ordinal);
        Assert.Equal("the line is no list of token ids", (string)lines[2]["error"]!);
        Assert.Contains("999999", (string)lines[3]["error"]!, StringComparison.Ordinal);
        Assert.Equal(3, lines[4].AsArray().Count);
    }

    [Fact]
    public async Task Logits_and_greedy_tokens_agree()
    {
        var (_, greedy) = await RunAsync("[5, 6, 7]", "greedy", ShippedModel.Folder, "--tokens", "1");
        var (_, logits) = await RunAsync("[5, 6, 7]", "logits", ShippedModel.Folder);
        var answer = Assert.Single(Lines(logits));
        var last = answer["last"]!.AsArray().Select(value => (double)value!).ToArray();
        Assert.Equal((int)Lines(greedy)[0][0]!, Array.IndexOf(last, last.Max()));
        Assert.Equal(2, answer["logprobs"]!.AsArray().Count);
        Assert.All(answer["logprobs"]!.AsArray(), value => Assert.InRange((double)value!, -40, 0));
    }

    [Fact]
    public async Task A_template_is_rendered_with_what_it_marks_in_code_points()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("deliberate-cli-").FullName, "chat.jinja");
        await File.WriteAllTextAsync(path, "{{ bos_token }}{% for m in messages %}{{ m.role }}: {% generation %}{{ m.content }}{% endgeneration %}\n{% endfor %}{{ strftime_now('%Y') }}", TestContext.Current.CancellationToken);
        var (code, streams) = await RunAsync("""{"messages": [{"role": "🙂", "content": "hi"}]}""" + "\n{}", "render", path, "--bos", "<s>", "--now", "2026-01-02T03:04:05");
        Assert.Equal(ExitCodes.Success, code);
        var lines = Lines(streams);
        Assert.Equal("<s>🙂: hi2026", (string)lines[0]["rendered"]!);
        Assert.Equal("[[6,8]]", lines[0]["generation"]!.ToJsonString());
        Assert.NotNull(lines[1]["error"]);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task A_model_is_inspected()
    {
        var (code, streams) = await RunAsync("", "inspect", ShippedModel.Folder, "--json");
        Assert.Equal(ExitCodes.Success, code);
        var json = JsonNode.Parse(streams.Results)!;
        Assert.Equal("Llama", (string)json["family"]!);
        Assert.InRange((long)json["parameters"]!, 1_000_000, 10_000_000);
        var (bad, missing) = await RunAsync("", "inspect", "nowhere");
        Assert.Equal(ExitCodes.BadInput, bad);
        Assert.Contains("nowhere", Assert.Single(missing.NoteLines), StringComparison.Ordinal);
    }
}
