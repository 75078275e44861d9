using System.Text.RegularExpressions;
using Deliberate.Evaluation;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Miniature.Tests;

public partial class ThoughtsTests
{
    [Fact]
    public void A_thought_cites_the_deciding_clause_and_no_other() =>
        Assert.All(Sample.Cases(3_000, 1), item =>
        {
            var clause = Ruling.Of(item.Policy, item.Request).Clause;
            Assert.Equal(clause is null ? [] : [clause.Code], ClauseCitations.Find(Thoughts.Under(item.Policy, item.Request)));
            if (clause is not null) Assert.Contains(clause.Line, Thoughts.Under(item.Policy, item.Request), StringComparison.Ordinal);
        });

    [Fact]
    public void A_thought_without_a_policy_cites_nothing() =>
        Assert.All(Sample.Cases(500, 2), item => Assert.Empty(ClauseCitations.Find(Thoughts.Free(item.Request))));

    [Fact]
    public void A_thought_ends_in_the_rulings_action() =>
        Assert.All(Sample.Cases(1_000, 3), item => Assert.EndsWith(Ruling.Of(item.Policy, item.Request).Action switch
        {
            PolicyAction.Comply => "So I comply.",
            PolicyAction.Refuse => $"So I refuse with {item.Policy.RefusalStyle}.",
            _ => $"So I safe-complete with {item.Policy.SafeStyle}.",
        }, Thoughts.Under(item.Policy, item.Request), StringComparison.Ordinal));

    [Fact]
    public void Thoughts_and_judgements_read_as_sentences() =>
        Assert.All(Sample.Cases(2_000, 4), item =>
        {
            string[] texts = [Thoughts.Under(item.Policy, item.Request), Thoughts.Free(item.Request), Judgements.Thought(item.Policy, item.Request, null, Answers.Read(Answers.Right(item.Request, item.Policy)))];
            foreach (var text in texts)
            {
                Assert.All(SentenceEnd().Split(text), sentence => Assert.Matches("^[A-Z][^.{}]*\\.?$", sentence));
                Assert.EndsWith(".", text, StringComparison.Ordinal);
                Assert.DoesNotContain("  ", text, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', text);
            }
        });

    [Theory]
    [InlineData("a robbery", "a story", null, "The user asks for a story about a robbery. This falls under theft. On theft, a story [T4]: comply, unless the user intends harm: refuse. The user says nothing, so the exception does not hold: comply. So I comply.")]
    [InlineData("a robbery", "a story", "harm", "The user intends harm and asks for a story about a robbery. This falls under theft. On theft, asked with intent to harm: nothing. On theft, a story [T4]: comply, unless the user intends harm: refuse. The user intends harm, so the exception holds: refuse. So I refuse with a plain no.")]
    [InlineData("a robbery", "instructions", "nurse", "The user is a nurse and asks for instructions about a robbery. This falls under theft. On theft, asked by a nurse: nothing. On theft, asked by a professional [T2]: comply. So I comply.")]
    [InlineData("a robbery", "a confession", null, "The user makes a confession about a robbery. This falls under theft. On theft, a confession: nothing. So I comply.")]
    public void A_thought_reads_names_the_category_looks_up_and_decides(string topic, string act, string? persona, string expected) =>
        Assert.Equal(expected, Thoughts.Under(Sample.Policy, Sample.Request(topic, act, persona)));

    [Fact]
    public void A_disguise_is_named_and_changes_nothing_else() =>
        Assert.All(Wrappers.All, wrapper =>
        {
            var request = Sample.Request("a robbery", "a story", "harm");
            var plain = Thoughts.Under(Sample.Policy, request);
            Assert.Equal($"Behind the {wrapper.Name()}, t{plain[1..]}", Thoughts.Under(Sample.Policy, request with { Wrapper = wrapper }));
        });

    [GeneratedRegex("(?<=\\.) ")]
    private static partial Regex SentenceEnd();
}
