using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Deliberate.Prompts;
using Deliberate.Tests.Runs;
using Parquet;
using Parquet.Serialization;
using Xunit;

namespace Deliberate.Tests.Prompts;

public class PromptFileTests
{
    private static string Said(SourcePrompt prompt) => string.Join(" | ", prompt.Prompt.Conversation.Turns.Select(turn => $"{turn.Role}: {turn.Text}"));

    [Fact]
    public async Task Plain_lines_are_read_with_their_ids_or_get_ones_that_stay()
    {
        const string Text = "\uFEFF{\"id\": 7, \"prompt\": \"How do I bake bread?\", \"category\": \"cooking\", \"label\": \"safe\", \"source\": \"mine\"}\r\n\n{\"PROMPT\":\"Zopf?\"}";
        var prompts = await Shared.ReadAsync("a.jsonl", Text);
        Assert.Equal(["User: How do I bake bread?", "User: Zopf?"], prompts.Select(Said));
        Assert.Equal(("7", "cooking", "safe", 1), (prompts[0].Prompt.Id, prompts[0].Prompt.Category, prompts[0].Label, prompts[0].Row));
        Assert.Equal(new Dictionary<string, string> { ["file"] = "a.jsonl", ["label"] = "safe", ["source"] = "mine" }, prompts[0].Prompt.Tags);
        Assert.Equal((null, 3), (prompts[1].Prompt.Category, prompts[1].Row));
        Assert.Matches("^[0-9a-f]{16}$", prompts[1].Prompt.Id);
        Assert.Equal(prompts[1].Prompt.Id, (await Shared.ReadAsync("b.jsonl", "{\"question\":\"Zopf?\"}"))[0].Prompt.Id);
    }

    [Fact]
    public async Task Chats_keep_all_turns_up_to_the_last_question_and_lose_thoughts()
    {
        var prompt = Assert.Single(await Shared.ReadAsync("a.jsonl", """
            {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},{"role":"assistant","content":"<think>hm</think>Hello"},{"role":"user","content":[{"type":"text","text":"And "},{"type":"text","text":"now?"}]},{"role":"assistant","content":"Later."}]}
            """));
        Assert.Equal("System: Be brief. | User: Hi | Assistant: Hello | User: And now?", Said(prompt));
    }

    [Theory]
    [InlineData("""{"prompt":[{"role":"user","content":"Hi"}],"completion":[{"role":"assistant","content":"x"}]}""")]
    [InlineData("""{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"x"}]}""")]
    [InlineData("""{"prompt":"[{\"role\": \"user\", \"content\": \"Hi\"}]"}""")]
    [InlineData("""[{"question":"Hi","response":"<think>a</think>b","category":["A","B"]}]""")]
    public async Task Known_shapes_are_told_apart_by_their_fields(string text) => Assert.Equal("User: Hi", Said(Assert.Single(await Shared.ReadAsync("a.json", text))));

    [Fact]
    public async Task A_prompt_may_begin_with_a_bracket_and_be_text() =>
        Assert.Equal("User: [sic] what?", Said(Assert.Single(await Shared.ReadAsync("a.jsonl", "{\"prompt\":\"[sic] what?\"}"))));

    [Fact]
    public async Task Several_categories_come_as_a_list_or_with_semicolons()
    {
        var prompts = await Shared.ReadAsync("a.jsonl", """
            {"prompt":"a","category":["Illicit / Criminal","Privacy"]}
            {"prompt":"b","category":"Theft; Fraud ;Theft"}
            {"prompt":"c","category":"[\"A\", \"B\"]"}
            {"prompt":"d","category":null}
            """);
        Assert.Equal(["Illicit / Criminal|Privacy", "Theft|Fraud", "A|B", ""], prompts.Select(prompt => string.Join('|', prompt.Categories)));
    }

    [Fact]
    public async Task A_mapping_names_the_fields_and_leads_into_objects()
    {
        var fields = PromptFields.Parse("messages=input.turns, category=area,id=key");
        var prompt = Assert.Single(await Shared.ReadAsync("a.jsonl", """{"key":"k","prompt":"no","input":{"turns":[{"role":"user","content":"yes"}]},"area":"x"}""", fields));
        Assert.Equal(("k", "User: yes", "x"), (prompt.Prompt.Id, Said(prompt), prompt.Prompt.Category));
        Assert.Contains("maps no field", Assert.Throws<ArgumentException>(() => PromptFields.Parse("prompts=a")).Message);
        Assert.Contains("maps no field", Assert.Throws<ArgumentException>(() => PromptFields.Parse("prompt=")).Message);
    }

    [Fact]
    public async Task Csv_is_read_by_rfc_4180()
    {
        var prompts = await Shared.ReadAsync("a.csv", "\uFEFFThis is a notice,  ,  \r\nid,prompt,type,label,focus\r\n1,\"How do I \"\"kill\"\" a process,\r\nquickly?\",homonyms,safe,\r\n\r\n2,b,x,unsafe,f");
        Assert.Equal(["User: How do I \"kill\" a process,\r\nquickly?", "User: b"], prompts.Select(Said));
        Assert.Equal([("1", "homonyms", "safe", 3), ("2", "x", "unsafe", 6)], prompts.Select(prompt => (prompt.Prompt.Id, prompt.Prompt.Category!, prompt.Label!, prompt.Row)));
        Assert.Equal("User: x, y", Said(Assert.Single(await Shared.ReadAsync("a.tsv", "prompt\tn\nx, y\t1\n"))));
    }

    [Fact]
    public async Task Parquet_is_read_row_group_by_row_group()
    {
        using var folder = new TemporaryFolder();
        var rows = Enumerable.Range(0, 25).Select(number => new Row { Id = number, Question = $"Question {number}?", Category = ["a", "b"], Source = number % 2 == 0 ? "s" : null }).ToArray();
        await ParquetSerializer.SerializeAsync(rows, folder["a.parquet"], new ParquetOptions { RowGroupSize = 10 }, cancellationToken: Shared.Token);
        var prompts = await Shared.ReadAsync(folder["a.parquet"]);
        Assert.Equal(rows.Select(row => (row.Id.ToString(CultureInfo.InvariantCulture), $"User: {row.Question}")), prompts.Select(prompt => (prompt.Prompt.Id, Said(prompt))));
        Assert.All(prompts, prompt => Assert.Equal(["a", "b"], prompt.Categories));
        Assert.Equal($"{folder["a.parquet"]}: row 25", prompts[^1].Place);
    }

    [Fact]
    public async Task Parquet_may_hold_chats_as_lists_of_messages()
    {
        using var folder = new TemporaryFolder();
        await ParquetSerializer.SerializeAsync([new Chat { Messages = [new() { Role = "system", Content = "S" }, new() { Role = "user", Content = "U" }] }], folder["a.parquet"], cancellationToken: Shared.Token);
        Assert.Equal("System: S | User: U", Said(Assert.Single(await Shared.ReadAsync(folder["a.parquet"]))));
    }

    [Theory]
    [InlineData("a.jsonl", "{\"prompt\":\"a\"}\n{\"prompt\":", "a.jsonl:2: not valid JSON")]
    [InlineData("a.jsonl", "{\"prompt\":\"a\"}\n[1]", "a.jsonl:2: is a list and no object")]
    [InlineData("a.jsonl", "{\"prompt\":\"a\"} {\"prompt\":\"b\"}", "a.jsonl:1: not valid JSON ('{' is invalid after a single JSON value")]
    [InlineData("a.jsonl", "{\"prompt\":3}", "a.jsonl:1: field 'prompt' is a number; it must be text or a list of messages")]
    [InlineData("a.jsonl", "{\"prompt\":\" \"}", "a.jsonl:1: field 'prompt' is empty; write the prompt or remove the row")]
    [InlineData("a.jsonl", "{\"foo\":\"a\",\"bar\":1}", "a.jsonl:1: no field holds the prompt (there are foo, bar); name it with a mapping, prompt=FIELD")]
    [InlineData("a.jsonl", "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]}", "a.jsonl:1: field 'messages' does not end on a user's turn; drop the turns after the last question")]
    [InlineData("a.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"system\",\"content\":\"a\"}]}", "a.jsonl:1: field 'messages' does not end on a user's turn")]
    [InlineData("a.jsonl", "{\"messages\":[{\"role\":\"boss\",\"content\":\"a\"}]}", "a.jsonl:1: field 'messages[0].role' is 'boss'; known are system, user, assistant and tool")]
    [InlineData("a.jsonl", "{\"messages\":[{\"role\":\"user\"}]}", "a.jsonl:1: field 'messages[0]' has no content")]
    [InlineData("a.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", "a.jsonl:1: field 'messages[0].content[0]' is no text")]
    [InlineData("a.jsonl", "{\"prompt\":\"\\ud800\"}", "a.jsonl:1: field 'prompt' is no valid text")]
    [InlineData("a.json", "[{\"prompt\":\"a\"},{\"prompt\":2}]", "a.json: item 2: field 'prompt' is a number")]
    [InlineData("a.json", "[{\"prompt\":\"a\"},\n{\"prompt\" 2}]", "a.json:2: not valid JSON")]
    [InlineData("a.csv", "prompt,id\nx", "a.csv:2: has 1 cells where the header has 2")]
    [InlineData("a.csv", "prompt,id\nx,1\n\"y,2\nz,3\n", "a.csv:3: the quotes of the row do not match")]
    [InlineData("a.csv", "prompt,id\nx\"y,1\n", "a.csv:2: the quotes of the row do not match")]
    [InlineData("a.csv", "one,two\n1,2\n", "a.csv: no row among the first names the prompt's field (the first is 'one,two'); name it with a mapping, prompt=FIELD")]
    [InlineData("a.csv", "", "a.csv: no row among the first names the prompt's field (the file is empty)")]
    [InlineData("a.parquet", "PAR1 and nothing else", "a.parquet: cannot be read as Parquet")]
    [InlineData("a.parquet", "x", "a.parquet: is no Parquet file")]
    [InlineData("a.txt", "Hello", "a.txt: is neither JSON nor Parquet")]
    [InlineData("a.jsonl", " \n", "a.jsonl: holds no prompts")]
    public async Task An_error_names_file_row_and_field_and_the_way_to_mend_it(string name, string text, string message) => Assert.StartsWith(message, await Shared.FailsAsync(name, text), StringComparison.Ordinal);

    [Fact]
    public async Task A_mapped_field_that_a_table_has_not_is_an_error()
    {
        Assert.StartsWith("a.csv:2: there is no field 'area' (there are prompt, id)", await Shared.FailsAsync("a.csv", "prompt,id\nx,1", new(Category: "area")), StringComparison.Ordinal);
        Assert.Null(Assert.Single(await Shared.ReadAsync("a.jsonl", "{\"prompt\":\"x\"}", new(Category: "area"))).Prompt.Category);
    }

    [Fact]
    public async Task Bad_rows_are_passed_over_when_somebody_hears_of_them()
    {
        using var folder = new TemporaryFolder();
        var skipped = new List<string>();
        var prompts = await Shared.ReadAsync(folder.Write("a.jsonl", "{\"prompt\":\"a\"}\nnonsense\n{\"prompt\":\"b\"}\n"), new(Skipped: skipped.Add));
        Assert.Equal(["User: a", "User: b"], prompts.Select(Said));
        Assert.StartsWith($"{folder["a.jsonl"]}:2: not valid JSON", Assert.Single(skipped), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_without_end_does_not_fill_the_memory()
    {
        using var folder = new TemporaryFolder();
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => Shared.ReadAsync(folder.Write("a.jsonl", "{\"prompt\":\"" + new string('x', 5000)), new(LongestRow: 1000)));
        Assert.Contains(":1: the line is longer than 1000 bytes", failure.Message);
        failure = await Assert.ThrowsAsync<InvalidDataException>(() => Shared.ReadAsync(folder.Write("a.csv", "prompt,id\n\"" + new string('x', 5000)), new(LongestRow: 1000)));
        Assert.Contains(":2: a cell is longer than 1000 characters", failure.Message);
    }

    [Fact]
    public async Task Lines_are_found_wherever_the_buffer_ends()
    {
        var text = new StringBuilder();
        for (var i = 0; i < 400; i++) text.Append(CultureInfo.InvariantCulture, $"{{\"prompt\":\"{new string('é', i * 7 % 900)}{i}\"}}\n");
        using var folder = new TemporaryFolder();
        var prompts = await Shared.ReadAsync(folder.Write("a.jsonl", text.ToString()), new(LongestRow: 2000));
        Assert.Equal(Enumerable.Range(0, 400).Select(i => $"{new string('é', i * 7 % 900)}{i}"), prompts.Select(prompt => prompt.Prompt.Conversation.Request));
        Assert.Equal(Enumerable.Range(1, 400), prompts.Select(prompt => prompt.Row));
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("none.jsonl", (await Assert.ThrowsAsync<FileNotFoundException>(() => Shared.ReadAsync(folder["none.jsonl"]))).Message);
        Assert.Contains("is a folder", (await Assert.ThrowsAsync<InvalidDataException>(() => Shared.ReadAsync(folder.Path))).Message);
    }

    private sealed class Row
    {
        public int Id { get; set; }

        public string? Question { get; set; }

        public List<string>? Category { get; set; }

        public string? Source { get; set; }
    }

    private sealed class Chat
    {
        public List<Message>? Messages { get; set; }
    }

    private sealed class Message
    {
        [JsonPropertyName("role")]
        public string? Role { get; set; }

        [JsonPropertyName("content")]
        public string? Content { get; set; }
    }
}
