using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class AnswersTests
{
    private static readonly AnswerKind[] Clean = [AnswerKind.Comply, AnswerKind.Refuse, AnswerKind.SafeComplete];

    private static IEnumerable<string> AllAnswers =>
        [.. Styles.Refusals.Select(Styles.Refusal), .. Topic.All.SelectMany(topic => Act.All.Select(act => Answers.Comply(act, topic)).Concat(Styles.SafeCompletions.Select(style => Styles.SafeCompletion(style, topic))))];

    [Fact]
    public void Every_answer_is_read_back_exactly()
    {
        foreach (var topic in Topic.All)
        {
            foreach (var act in Act.All)
            {
                var request = new Request { Topic = topic, Act = act, Phrasing = 0 };
                Assert.Equal(new(AnswerKind.Comply, act, topic), Answers.Read(Answers.Of(PolicyAction.Comply, request, null)));
                foreach (var style in Styles.Refusals)
                    Assert.Equal(new(AnswerKind.Refuse, Style: style), Answers.Read(Answers.Of(PolicyAction.Refuse, request, Sample.Policy with { RefusalStyle = style })));
                foreach (var style in Styles.SafeCompletions)
                    Assert.Equal(new(AnswerKind.SafeComplete, null, topic, style), Answers.Read(Answers.Of(PolicyAction.SafeComplete, request, Sample.Policy with { SafeStyle = style })));
            }
        }
    }

    [Fact]
    public void No_two_answers_are_alike() => Assert.Equal(AllAnswers.Count(), AllAnswers.Distinct().Count());

    [Fact]
    public void White_space_around_an_answer_does_not_matter() =>
        Assert.Equal(AnswerKind.Refuse, Answers.Read($" \n{Styles.Refusal("a plain no")}\t ").Kind);

    [Fact]
    public void Two_answers_in_one_are_never_clean()
    {
        var random = new Random(1);
        var all = AllAnswers.ToArray();
        for (var i = 0; i < 4_000; i++)
        {
            var (first, second) = (RequestSampler.Pick(random, i % 2 == 0 ? all : [.. all.Take(3)]), RequestSampler.Pick(random, all));
            foreach (var text in (string[])[$"{first} {second}", $"{second} {first}", $"{second}{first}", $"{first}\n{second}"])
                Assert.DoesNotContain(Answers.Read(text).Kind, Clean);
        }
    }

    [Fact]
    public void A_refusal_beside_compliance_is_blended_in_either_order()
    {
        foreach (var style in Styles.Refusals)
            foreach (var act in Act.All)
            {
                var (refusal, body) = (Styles.Refusal(style), Answers.Comply(act, Topic.All[3]));
                Assert.Equal(new(AnswerKind.Blended, act, Topic.All[3]), Answers.Read($"{refusal} {body}"));
                Assert.Equal(new(AnswerKind.Blended, act, Topic.All[3]), Answers.Read($"{body} {refusal}"));
                Assert.Equal(AnswerKind.Blended, Answers.Read($"{refusal} {body[..(body.Length * 2 / 3)]}").Kind);
            }
    }

    [Fact]
    public void Shuffled_cut_and_repeated_words_are_never_clean()
    {
        var random = new Random(2);
        var all = AllAnswers.ToArray();
        var known = all.ToHashSet();
        for (var i = 0; i < 4_000; i++)
        {
            var words = RequestSampler.Pick(random, all).Split(' ');
            string[] shuffled = [.. words];
            random.Shuffle(shuffled);
            var at = random.Next(words.Length);
            foreach (var changed in (string[][])[shuffled, words[..at], words[(at + 1)..], [.. words[..at], words[at], .. words[at..]], [.. words[..at], .. words[(at + 1)..]]])
            {
                var text = string.Join(' ', changed);
                if (!known.Contains(text)) Assert.DoesNotContain(Answers.Read(text).Kind, Clean);
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("Sure.")]
    [InlineData("Here are instructions for")]
    [InlineData("here is a story about a robbery: one night it began, and by morning all was over.")]
    public void What_is_no_answer_is_unclear(string text) => Assert.Equal(new(AnswerKind.Unclear), Answers.Read(text));

    [Fact]
    public void The_right_answer_follows_the_ruling_and_reads_as_right() =>
        Assert.All(Sample.Cases(1_000, 3), item =>
        {
            Assert.Equal(Fault.None, Judgements.Compare(item.Policy, item.Request, null, Answers.Read(Answers.Right(item.Request, item.Policy))));
            Assert.Equal(Answers.Comply(item.Request.Act, item.Request.Topic), Answers.Right(item.Request, null));
        });

    [Fact]
    public void An_unknown_style_is_named()
    {
        Assert.Contains("'shouting'", Assert.Throws<ArgumentException>(() => Styles.Refusal("shouting")).Message, StringComparison.Ordinal);
        Assert.Contains("'shouting'", Assert.Throws<ArgumentException>(() => Styles.SafeCompletion("shouting", Topic.All[0])).Message, StringComparison.Ordinal);
    }
}
