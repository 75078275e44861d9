using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Distillation.Exports;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Tests.Runs;
using Parquet.Serialization;
using Xunit;

namespace Deliberate.Tests.Distillation;

public class ExportTests
{
    private static readonly Spec Theft = new("## Theft\n- **T3 Instructions.** Never explain how a lock, a till or an alarm can be beaten by a thief.", "theft", "hash");
    private static readonly Dictionary<string, string> Tags = new() { ["source"] = "our own", ["licence"] = "MIT" };

    private static readonly Conversation Short = Conversation.FromUser("how to steal?");
    private static readonly Conversation Long = new([new(Role.System, "Be kind."), new(Role.User, "hello"), new(Role.Assistant, "Hello!"), new(Role.User, "a story"), new(Role.User, "about a heist, please – \"短い\"")]);

    private static JudgedSample Judged(string id, int index, Conversation conversation, string? category, string thinking, string answer, string action, double score = 1, string? format = null, IReadOnlyDictionary<string, string>? tags = null) =>
        new(new Sample(new Prompt(id, conversation, category, tags ?? Tags), index, new Completion(thinking, answer), new Provenance("hash", category, "model-1", "f-1", 1, 3, index)), Theft, new Judgement([new Verdict(score, "r")]), format, action);

    private static readonly DistillationResult Result = new Distiller(new() { KeepPerPrompt = 2 }).Distill(
    [
        Judged("a", 0, Short, "theft", "The policy says [T3].", "Sorry.", "refuse"),
        Judged("a", 1, Short, "theft", "By [T3] I refuse.", "I am sorry.", "refuse"),
        Judged("b", 0, Long, null, "", "Once upon a time…", "comply", tags: new Dictionary<string, string>()),
        Judged("c", 0, Short, "theft", "x", "Take a hammer.", "comply", score: 0.2),
        Judged("c", 1, Short, "theft", "x", "By clause T3, no.", "refuse"),
        Judged("d", 0, Short, "theft", "x", "y", "refuse", format: "truncated"),
    ]);

    private static async Task<(ExportResult Result, JsonObject[] Rows)> WriteAsync(TemporaryFolder folder, string name, ExportOptions? options = null)
    {
        var result = await ExportFormat.Find(name)!.WriteAsync(folder["out"], Result.Kept, options, TestContext.Current.CancellationToken);
        var text = await File.ReadAllTextAsync(result.Files[0], TestContext.Current.CancellationToken);
        var rows = text.StartsWith('[') ? JsonNode.Parse(text)!.AsArray().Select(row => row!.AsObject()) : text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject());
        return (result, [.. rows]);
    }

    private static void AssertJson(string expected, JsonNode? actual) => Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), $"expected {expected}\nbut was {actual?.ToJsonString()}");

    private const string LongPrompt = """[{"role":"system","content":"Be kind."},{"role":"user","content":"hello"},{"role":"assistant","content":"Hello!"},{"role":"user","content":"a story"},{"role":"user","content":"about a heist, please – \"短い\""}]""";

    private static void AssertOrigin(JsonObject row, string id, string? category, string action, string? source, string? licence)
    {
        Assert.Equal((id, "hash", category, action, source, licence), ((string?)row["id"], (string?)row["policy_hash"], (string?)row["category"], (string?)row["action"], (string?)row["source"], (string?)row["licence"]));
        Assert.Equal("model-1", (string?)row["provenance"]!["model"]);
    }

    [Fact]
    public async Task Trl_messages()
    {
        using var folder = new TemporaryFolder();
        var (result, rows) = await WriteAsync(folder, "trl-messages");
        Assert.Equal((3, 3), (result.Rows, rows.Length));
        AssertJson("""[{"role":"user","content":"how to steal?","thinking":""},{"role":"assistant","content":"Sorry.","thinking":"The policy says [T3]."}]""", rows[0]["messages"]);
        Assert.Equal(("theft", "our own", "MIT", "hash"), ((string?)rows[0]["category"], (string?)rows[0]["source"], (string?)rows[0]["licence"], (string?)rows[0]["provenance"]!["policy_hash"]));
        Assert.Equal(Result.Kept, TrainingFile.Read(folder["out"]));

        var (_, tagged) = await WriteAsync(folder, "trl-messages", new() { ThinkTags = true });
        AssertJson("""[{"role":"user","content":"how to steal?"},{"role":"assistant","content":"<think>\nThe policy says [T3].\n</think>\n\nSorry."}]""", tagged[0]["messages"]);
        Assert.Equal("Once upon a time…", (string?)tagged[2]["messages"]!.AsArray()[^1]!["content"]);
        AssertOrigin(tagged[1], "a#1", "theft", "refuse", "our own", "MIT");
    }

    [Fact]
    public async Task Trl_prompt_and_completion()
    {
        using var folder = new TemporaryFolder();
        var (_, rows) = await WriteAsync(folder, "trl-prompt-completion");
        AssertJson(LongPrompt, rows[2]["prompt"]);
        AssertJson("""[{"role":"assistant","content":"Once upon a time…","thinking":""}]""", rows[2]["completion"]);
        AssertJson("""[{"role":"assistant","content":"Sorry.","thinking":"The policy says [T3]."}]""", rows[0]["completion"]);
        AssertOrigin(rows[2], "b#0", null, "comply", null, null);
        Assert.Equal(["prompt", "completion", "id", "policy_hash", "category", "action", "source", "licence", "provenance"], rows[0].Select(field => field.Key));
    }

    [Fact]
    public async Task Trl_sdft_shows_the_specification_to_the_teacher_alone()
    {
        using var folder = new TemporaryFolder();
        await Assert.ThrowsAsync<ArgumentException>(() => WriteAsync(folder, "trl-sdft"));
        var (result, rows) = await WriteAsync(folder, "trl-sdft", new() { SpecOf = _ => Theft });
        Assert.Equal(2, result.Rows);
        AssertJson("""[{"role":"user","content":"how to steal?"}]""", rows[0]["prompt"]);
        Assert.Equal(Theft.Text, (string?)rows[0]["privileged_context"]);
        AssertOrigin(rows[0], "a#0", "theft", "refuse", "our own", "MIT");
    }

    [Fact]
    public async Task Llama_factory_sharegpt()
    {
        using var folder = new TemporaryFolder();
        var (result, rows) = await WriteAsync(folder, "llama-factory-sharegpt", new() { Name = "ours" });
        Assert.Equal([Path.Combine(folder["out"], "ours.json"), Path.Combine(folder["out"], "dataset_info.json")], result.Files);
        AssertJson("""[{"from":"human","value":"how to steal?"},{"from":"gpt","value":"<think>\nThe policy says [T3].\n</think>\n\nSorry."}]""", rows[0]["conversations"]);
        AssertJson("""[{"from":"human","value":"hello"},{"from":"gpt","value":"Hello!"},{"from":"human","value":"a story\n\nabout a heist, please – \"短い\""},{"from":"gpt","value":"Once upon a time…"}]""", rows[2]["conversations"]);
        Assert.Equal(("", "Be kind."), ((string?)rows[0]["system"], (string?)rows[2]["system"]));
        AssertOrigin(rows[0], "a#0", "theft", "refuse", "our own", "MIT");
        AssertJson("""
            {"ours":{"file_name":"ours.json","formatting":"sharegpt","columns":{"messages":"conversations","system":"system"},
            "tags":{"role_tag":"from","content_tag":"value","user_tag":"human","assistant_tag":"gpt","observation_tag":"observation"}}}
            """, JsonNode.Parse(await File.ReadAllTextAsync(result.Files[1], TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task Llama_factory_alpaca_keeps_other_data_sets_of_the_folder()
    {
        using var folder = new TemporaryFolder();
        await WriteAsync(folder, "llama-factory-sharegpt", new() { Name = "other" });
        var (result, rows) = await WriteAsync(folder, "llama-factory-alpaca", new() { Name = "ours" });
        Assert.Equal(("how to steal?", "", "<think>\nThe policy says [T3].\n</think>\n\nSorry.", ""), ((string?)rows[0]["instruction"], (string?)rows[0]["input"], (string?)rows[0]["output"], (string?)rows[0]["system"]));
        AssertJson("[]", rows[0]["history"]);
        AssertJson("""[["hello","Hello!"]]""", rows[2]["history"]);
        Assert.Equal("Be kind.", (string?)rows[2]["system"]);
        var info = JsonNode.Parse(await File.ReadAllTextAsync(result.Files[1], TestContext.Current.CancellationToken))!.AsObject();
        Assert.Equal(["other", "ours"], info.Select(set => set.Key));
        AssertJson("""{"file_name":"ours.json","columns":{"prompt":"instruction","query":"input","response":"output","system":"system","history":"history"}}""", info["ours"]);
    }

    [Fact]
    public async Task What_a_format_cannot_hold_is_left_out_and_counted()
    {
        using var folder = new TemporaryFolder();
        var odd = new Distiller(new()).Distill(
        [
            Judged("tool", 0, new([new(Role.User, "weather?"), new(Role.Assistant, "look"), new(Role.Tool, "rain"), new(Role.Assistant, "Rain."), new(Role.User, "and?")]), null, "", "Sun.", "comply"),
            Judged("late", 0, new([new(Role.User, "a"), new(Role.System, "b"), new(Role.User, "c")]), null, "", "d", "comply"),
            Judged("turn", 0, new([new(Role.Assistant, "hi"), new(Role.User, "c")]), null, "", "d", "comply"),
        ]).Kept;
        var sharegpt = await new LlamaFactorySharegpt().WriteAsync(folder["s"], odd, cancellationToken: TestContext.Current.CancellationToken);
        var alpaca = await new LlamaFactoryAlpaca().WriteAsync(folder["a"], odd, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal((1, 2), (sharegpt.Rows, sharegpt.LeftOut.Values.Sum()));
        Assert.Equal([("a system message inside the conversation", 1), ("a tool's message", 1), ("speakers that do not take turns", 1)], alpaca.LeftOut.Select(entry => (entry.Key, entry.Value)));
    }

    [Fact]
    public async Task Axolotl()
    {
        using var folder = new TemporaryFolder();
        var (result, rows) = await WriteAsync(folder, "axolotl");
        AssertJson("""[{"role":"user","content":"how to steal?"},{"role":"assistant","content":"Sorry.","reasoning_content":"The policy says [T3]."}]""", rows[0]["messages"]);
        AssertOrigin(rows[0], "a#0", "theft", "refuse", "our own", "MIT");
        var settings = await File.ReadAllTextAsync(result.Files[1], TestContext.Current.CancellationToken);
        Assert.StartsWith("datasets:\n  - path: \"out\"\n    ds_type: json\n    type: chat_template\n    field_messages: messages\n", settings, StringComparison.Ordinal);
        Assert.DoesNotContain("split_thinking", settings, StringComparison.Ordinal);

        var (tagged, inline) = await WriteAsync(folder, "axolotl", new() { ThinkTags = true });
        AssertJson("""{"role":"assistant","content":"<think>\nThe policy says [T3].\n</think>\n\nSorry."}""", inline[0]["messages"]![1]);
        Assert.Contains("split_thinking: true", await File.ReadAllTextAsync(tagged.Files[1], TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenRlhf()
    {
        using var folder = new TemporaryFolder();
        var (_, rows) = await WriteAsync(folder, "openrlhf");
        AssertJson(LongPrompt, rows[2]["input"]);
        AssertJson("""[{"role":"assistant","content":"<think>\nThe policy says [T3].\n</think>\n\nSorry."}]""", rows[0]["output"]);
        AssertJson("""{"id":"a#0","policy_hash":"hash","category":"theft"}""", JsonNode.Parse((string)rows[0]["label"]!));
        AssertOrigin(rows[0], "a#0", "theft", "refuse", "our own", "MIT");
    }

    [Fact]
    public async Task NemoGym_has_one_row_a_prompt()
    {
        using var folder = new TemporaryFolder();
        var (result, rows) = await WriteAsync(folder, "nemo-gym");
        Assert.Equal((2, 2), (result.Rows, rows.Length));
        AssertJson($$"""{"input":{{LongPrompt}}}""", rows[1]["responses_create_params"]);
        AssertOrigin(rows[0], "a#0", "theft", "refuse", "our own", "MIT");
    }

    [Fact]
    public async Task Verl_has_one_row_a_prompt_as_Parquet()
    {
        using var folder = new TemporaryFolder();
        var result = await new Verl().WriteAsync(folder["train.parquet"], Result.Kept, new() { Name = "ours" }, TestContext.Current.CancellationToken);
        Assert.Equal(2, result.Rows);
        using var stream = File.OpenRead(folder["train.parquet"]);
        var rows = (await ParquetSerializer.DeserializeUntypedAsync(stream, cancellationToken: TestContext.Current.CancellationToken)).Data;
        Assert.Equal(["data_source", "prompt", "ability", "reward_model", "extra_info"], rows[0].Keys);
        var row = JsonSerializer.SerializeToNode(rows[1])!;
        AssertJson(LongPrompt, JsonNode.Parse((string)row["extra_info"]!["prompt"]!));
        row["extra_info"]!.AsObject().Remove("prompt");
        AssertJson($$$"""
            {"data_source":"ours","prompt":{{{LongPrompt}}},"ability":"safety","reward_model":{"style":"model","ground_truth":""},
            "extra_info":{"split":"train","index":1,"id":"b#0","policy_hash":"hash","category":"","action":"comply","source":"","licence":"",
            "provenance":"{\"policy_hash\":\"hash\",\"category\":null,\"model\":\"model-1\",\"template_version\":\"f-1\",\"temperature\":1,\"seed\":3,\"sample_index\":0}"}}
            """, row);
    }

    public static TheoryData<string> Names => [.. ExportFormat.All.Select(format => format.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task No_format_writes_a_specification_into_a_training_prompt(string name)
    {
        using var folder = new TemporaryFolder();
        // Such an example can only come from a file that somebody edited.
        var text = File.ReadAllText(Written(folder)).Replace("how to steal?", "Never explain how a lock, a till or an alarm can be beaten by a thief. How to steal?", StringComparison.Ordinal);
        File.WriteAllText(folder["edited.jsonl"], text);
        var problem = await Assert.ThrowsAsync<InvalidDataException>(() => ExportFormat.Find(name)!.WriteAsync(folder["out"], TrainingFile.Read(folder["edited.jsonl"]), new() { SpecOf = _ => Theft }, TestContext.Current.CancellationToken));
        Assert.Contains("a#0", problem.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(folder["out"]));

        if (name == "trl-sdft") return;
        await ExportFormat.Find(name)!.WriteAsync(folder["clean"], Result.Kept, new() { SpecOf = _ => Theft }, TestContext.Current.CancellationToken);
        foreach (var file in File.Exists(folder["clean"]) ? [folder["clean"]] : Directory.GetFiles(folder["clean"])) Assert.DoesNotContain("till or an alarm", File.ReadAllText(file), StringComparison.Ordinal);
    }

    private static string Written(TemporaryFolder folder)
    {
        TrainingFile.Write(folder["train.jsonl"], Result.Kept);
        return folder["train.jsonl"];
    }

    [Fact]
    public void Names_and_purposes_are_distinct()
    {
        Assert.Equal(9, ExportFormat.All.Select(format => format.Name).Distinct().Count());
        Assert.Equal(9, ExportFormat.All.Select(format => format.Purpose).Distinct().Count());
        Assert.Null(ExportFormat.Find("nonsense"));
    }

    [Fact]
    public void The_data_card_counts_and_quotes_nothing()
    {
        var card = DataCard.Write("Card", Result.Kept, Result.Rejected, [("verl", "train.parquet")]);
        Assert.All((string[])
        [
            "# Card\n", "- examples: 3 of 6 samples (50.0 %)", "- prompts: 2\n", "- policies (hash): hash\n", "- models: model-1\n", "- verl: `train.parquet`",
            "| none | comply | 1 | 1 | 100.0 % |", "| theft | comply | 1 | 0 | 0.0 % |", "| theft | refuse | 4 | 2 | 50.0 % |",
            "| format filter | 6 | 1 | 83.3 % |", "| judge's score too low | 5 | 1 | 80.0 % |", "| specification in the answer | 4 | 1 | 75.0 % |",
            "| our own | MIT | 2 |", "| unknown | unknown | 1 |", "without a licence",
        ], line => Assert.Contains(line, card, StringComparison.Ordinal));
        Assert.All((string[])["steal", "Sorry", "hammer", "heist"], quoted => Assert.DoesNotContain(quoted, card, StringComparison.Ordinal));
        Assert.Contains("- examples: 0 of 0 samples (–)", DataCard.Write("Empty", [], []), StringComparison.Ordinal);
    }
}
