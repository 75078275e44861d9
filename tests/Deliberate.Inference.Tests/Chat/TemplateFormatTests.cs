using Deliberate.Conversations;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Templates;
using Deliberate.Inference.Tokenization;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Inference.Tests.Chat;

public class TemplateFormatTests
{
    private const string Thought = "Clause C4 allows it.", Answer = "Once there was a fox.";
    private const string Turns = "{% for m in messages %}[{{ m.role }}]{{ WRITTEN }}[end]{% endfor %}{% if add_generation_prompt %}[assistant]{{ OPENING }}{% endif %}";

    private static readonly string Plain = Template("m.content", "''");
    private static readonly string Opens = Template("m.content", "'<think>\n'");
    // As DeepSeek-R1's: what it shows of an assistant is what follows the thought, and it begins every reply with one.
    private static readonly string Drops = Template("m.content.split('</think>')[-1]|trim", "'<think>\n'");
    // As Nemotron Nano's: it opens a thought in every turn, also where the answer brings its own.
    private static readonly string Always = Template("('<think>\n' if m.role == 'assistant' else '') ~ m.content", "'<think>\n'");
    private static readonly string OwnTag = Template("('<seed:think>' ~ m.reasoning_content ~ '</seed:think>' if m.reasoning_content else '') ~ m.content", "''");
    // As Granite's: a thought that nobody could tell from an answer.
    private static readonly string Words = Template("('Here is my thought process: ' ~ m.reasoning_content ~ ' Here is my response: ' if m.reasoning_content else '') ~ m.content", "'Think aloud.' if thinking else ''");
    private static readonly string Knows = Template("('<think>\n' ~ m.reasoning_content ~ '\n</think>\n\n' if m.reasoning_content else '') ~ m.content", "'' if enable_thinking else '<think>\n\n</think>\n\n'");
    private static readonly string KnowsByAnotherName = Template("m.content", "'<think>' if thinking else '</think>'");
    private static readonly ChatMessage[] Asked = [new(ChatRole.User, "A story, please.")];

    private static string Template(string written, string opening) => Turns.Replace("WRITTEN", written, StringComparison.Ordinal).Replace("OPENING", opening, StringComparison.Ordinal);

    private static TemplateFormat Format(string template, string? eos = null) =>
        new(Tokenizer, ChatTemplate.Parse(template, "t"), eos is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["eos_token"] = eos }, []);

    private static Tokenizer Tokenizer { get; } = Load();

    private static Tokenizer Load()
    {
        using var folder = new TemporaryFolder();
        Tiny.Tokenizer.Save(folder.File("tokenizer.json"));
        return Tokenizer.Load(folder.File("tokenizer.json"));
    }

    private static string Trained(MaskedPrompt masked) => masked.Text[masked.Trained[^1].Start..masked.Trained[^1].End];

    public static TheoryData<string, string, string> Templates() => new()
    {
        { Plain, "<think>\n" + Thought + "\n</think>\n\n" + Answer + "[end]", Answer + "[end]" },
        { Opens, Thought + "\n</think>\n\n" + Answer + "[end]", Answer + "[end]" },
        { Drops, Thought + "\n</think>\n\n" + Answer + "[end]", Answer + "[end]" },
        { Always, Thought + "\n</think>\n\n" + Answer + "[end]", Answer + "[end]" },
        { Words, "<think>\n" + Thought + "\n</think>\n\n" + Answer + "[end]", Answer + "[end]" },
        { OwnTag, "<seed:think>" + Thought + "</seed:think>" + Answer + "[end]", Answer + "[end]" },
        { Knows, "<think>\n" + Thought + "\n</think>\n\n" + Answer + "[end]", Answer + "[end]" },
        { KnowsByAnotherName, "\n" + Thought + "\n</think>\n\n" + Answer + "[end]", Answer + "[end]" },
    };

    [Theory]
    [MemberData(nameof(Templates))]
    public void What_is_trained_follows_the_prompt_that_the_model_gets_and_reads_as_thought_and_answer(string template, string withThought, string without)
    {
        var format = Format(template);
        foreach (var (thought, expected) in new[] { (Thought, withThought), ("", without) })
        {
            var (masked, prompt) = (format.Masked(Asked, thought, Answer), format.Prompt(Asked, thought.Length > 0));
            Assert.Equal(expected, Trained(masked));
            Assert.Equal(Tokenizer.Decode(prompt.Tokens), masked.Text[..masked.Trained[^1].Start]);
            Assert.Equal(new Completion(thought, Answer), CompletionReader.Read(expected[..^"[end]".Length], prompt.ThoughtOpened));

            var row = format.Row(Asked, thought, Answer);
            var context = row.LossWeights.TakeWhile(weight => weight == 0).Count();
            Assert.Equal(prompt.Tokens, row.Tokens[..context]);
            Assert.Equal(expected, Tokenizer.Decode(row.Tokens.AsSpan(context)));
            Assert.All(row.LossWeights[context..], weight => Assert.Equal(1, weight));
        }
    }

    [Fact]
    public void A_prompt_that_always_opens_a_thought_is_given_an_empty_one_where_none_is_wanted()
    {
        var prompt = Format(Drops).Prompt(Asked, thinking: false);
        Assert.False(prompt.ThoughtOpened);
        Assert.EndsWith("[assistant]<think>\n\n</think>\n\n", Tokenizer.Decode(prompt.Tokens), StringComparison.Ordinal);
    }

    [Fact]
    public void The_mark_that_ends_a_thought_is_the_templates() =>
        Assert.Equal(("<seed:think>", "</seed:think>"), (Tokenizer.Decode([.. Format(OwnTag).StartOfThinking]), Tokenizer.Decode([.. Format(OwnTag).EndOfThinking])));

    [Fact]
    public void Where_the_template_writes_nothing_after_an_answer_the_models_end_of_text_ends_it()
    {
        const string endless = "{% for m in messages %}[{{ m.role }}]{{ m.content.split('</think>')[-1] }}{% endfor %}{% if add_generation_prompt %}[assistant]<think>{% endif %}";
        Assert.EndsWith(Answer + "</s>", Trained(Format(endless, "</s>").Masked(Asked, Thought, Answer)), StringComparison.Ordinal);
        Assert.Contains("what ends a turn", Assert.Throws<TemplateException>(() => Format(endless).Masked(Asked, Thought, Answer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_of_the_template_are_believed_where_it_shows_the_turn_after_the_prompt()
    {
        const string marked = "{% for m in messages %}[{{ m.role }}]{% if m.role == 'assistant' %}{% generation %}{{ m.content }}!{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]OPENING{% endif %}";
        foreach (var opening in new[] { "", "<think>\n", " " })
        {
            var format = Format(marked.Replace("OPENING", opening, StringComparison.Ordinal));
            var masked = format.Masked(Asked, Thought, Answer);
            Assert.StartsWith(Tokenizer.Decode(format.Prompt(Asked).Tokens), masked.Text, StringComparison.Ordinal);
            // With its marks the opening of the thought is trained although the prompt gives it; the last one shows no turn after such a prompt.
            Assert.Equal($"<think>\n{Thought}\n</think>\n\n{Answer}!", Trained(masked));
        }
    }
}
