using Deliberate.Inference.Templates;
using Xunit;

namespace Deliberate.Inference.Tests.Templates;

public class PromptMaskTests
{
    private const string Keeps = "{% for m in messages %}<|{{ m.role }}|>\n{% if m.role == 'assistant' and m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{{ prefill }}{% endif %}";
    private static readonly string Drops = Keeps.Replace("m.role == 'assistant'", "loop.last", StringComparison.Ordinal);

    private static TemplateValue Message(string role, string content, string? thought = null) => TemplateValue.Map(
        [new("role", TemplateValue.Of(role)), new("content", TemplateValue.Of(content)), .. thought is null ? [] : new[] { KeyValuePair.Create("reasoning_content", TemplateValue.Of(thought)) }]);

    private static readonly TemplateValue[] TwoTurns = [Message("user", "Hi"), Message("assistant", "Hello.", "First."), Message("user", "More"), Message("assistant", "Here. 🙂", "Second.")];

    private static string[] Trained(string template, TemplateValue[] messages, string prefill = "")
    {
        var masked = PromptMask.Render(ChatTemplate.Parse(template, "t"), new() { Messages = messages, Variables = new Dictionary<string, TemplateValue> { ["prefill"] = TemplateValue.Of(prefill) } });
        return [.. masked.Trained.Select(span => masked.Text[span.Start..span.End])];
    }

    [Fact]
    public void Thought_answer_and_end_of_turn_are_covered() =>
        Assert.Equal(["<think>\nFirst.\n</think>\n\nHello.<|end|>", "<think>\nSecond.\n</think>\n\nHere. 🙂<|end|>"], Trained(Keeps, TwoTurns));

    [Fact]
    public void A_thought_that_the_prompt_opens_begins_after_its_opening() => Assert.Equal("Second.\n</think>\n\nHere. 🙂<|end|>", Trained(Keeps, TwoTurns, "<think>\n")[^1]);

    [Fact]
    public void Only_the_last_turn_is_covered_where_earlier_thoughts_are_dropped() => Assert.Equal(["<think>\nSecond.\n</think>\n\nHere. 🙂<|end|>"], Trained(Drops, TwoTurns));

    [Theory]
    [InlineData("{% for m in messages %}{{ m.content }}{% endfor %}", "leaves out the thought")]
    [InlineData("{{ messages|length }}{% for m in messages %}{{ m.content }}{{ m.reasoning_content }}{% endfor %}", "is not the beginning")]
    [InlineData("{% for m in messages %}{{ m.reasoning_content }}{{ m.content|upper }}{% endfor %}", "changes or leaves out the answer")]
    [InlineData("{% macro w(t) %}x{% generation %}{{ t }}{% endgeneration %}{% endmacro %}a{% for m in messages %}{{ w(m.content) }}{% endfor %}", "stands in a macro")]
    public void What_cannot_be_told_is_an_error(string template, string reason)
    {
        var error = Assert.Throws<TemplateException>(() => Trained(template, TwoTurns));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The marked twin of a template says what is trained; the mask that is found without marks must agree, up to the header and the last line break that some twins mark too.</summary>
    [Fact]
    public void Masks_agree_with_the_marks_of_training_templates()
    {
        var (compared, equal, refused) = (0, 0, 0);
        foreach (var path in TemplateFixtures.Templates().Where(path => path.EndsWith("_training.jinja", StringComparison.Ordinal)))
        {
            var (marked, plain) = (TemplateFixtures.Load(path), TemplateFixtures.Load(path.Replace("_training", "", StringComparison.Ordinal)));
            foreach (var item in TemplateFixtures.Cases(path).Where(item => item.Rendered is not null && !item.Input.ContinueFinalMessage && IsAssistant(item.Input.Messages)))
            {
                var expected = PromptMask.Render(marked, item.Input);
                MaskedPrompt found;
                try
                {
                    found = PromptMask.Render(plain, item.Input);
                }
                catch (TemplateException)
                {
                    refused++;
                    continue;
                }

                if (found.Text != expected.Text) continue;
                compared++;
                var (a, b) = (expected.Trained[^1], found.Trained[^1]);
                var (want, got) = (expected.Text[a.Start..a.End].TrimEnd(), found.Text[b.Start..b.End].TrimEnd());
                Assert.True(want.EndsWith(got, StringComparison.Ordinal) || got.EndsWith(want, StringComparison.Ordinal), $"{item.Template}: {item.Name}: '{want}' and '{got}'");
                if (want == got) equal++;
            }
        }

        Assert.Equal((37, 9, 12), (compared, equal, refused));
    }

    private static bool IsAssistant(IReadOnlyList<TemplateValue> messages) => messages.Count > 0 && messages[^1].ToString().StartsWith("{'role': 'assistant'", StringComparison.Ordinal);
}
