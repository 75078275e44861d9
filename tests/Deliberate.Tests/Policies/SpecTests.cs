using Deliberate.Policies;
using Xunit;

namespace Deliberate.Tests.Policies;

public class SpecTests
{
    private static int Words(string text) => text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Length;

    [Fact]
    public void A_category_is_given_in_full_and_the_others_by_their_summaries()
    {
        var policy = Written.Policy();
        var spec = policy.Spec("theft");
        Assert.Equal(("theft", policy.Hash), (spec.Category, spec.PolicyHash));
        Assert.Equal("""
            # House rules

            Rules of a house.

            ## Principles

            - Help first.
            - Do not lecture.

            ## Refusal style: a brief apology

            - Say sorry once.

            ## Safe-completion style: general facts

            Stay general.

            ## Precedence

            Clauses about users come first.

            ## Other categories

            - **Pets**: Animals at home. They are liked.

            ## Theft

            Taking what is not yours. Owners ask for help.

            ### Terms

            - **Method**: a way to steal.

            ### Allowed

            - [T1] A story, a poem: fiction over two lines. Unless the user is a nurse: safe-complete.
              - Example: a tale of a heist
              - Exclusion: a plan
            - [T2] History: the past.

            ### Disallowed

            - [T3] Instructions: never.

            ### Safe completion

            - [T4] Statistics: only for a stated professional, else refuse. Figures mislead.
            """, spec.Text);
        Assert.Equal(spec, policy.Spec("THEFT"));
    }

    [Fact]
    public void Without_a_category_there_are_summaries_alone()
    {
        var spec = Written.Policy().Spec(null);
        Assert.Null(spec.Category);
        Assert.Contains("- **Pets**: Animals at home. They are liked.\n- **Theft**: Taking", spec.Text);
        Assert.DoesNotContain("T1", spec.Text);
    }

    [Fact]
    public void What_matters_least_gives_way_first()
    {
        var policy = Written.Policy();
        var full = Words(policy.Spec("theft").Text);
        string Within(int words) => policy.Spec("theft", words, Words).Text;
        Assert.Contains("They are liked.", Within(full));
        Assert.Contains("- **Pets**: Animals at home.\n", Within(full - 1));
        Assert.DoesNotContain("They are liked.", Within(full - 1));
        Assert.Contains("Rules of a house.", Within(full - 4));
        Assert.Contains("- **Pets**\n", Within(full - 4));
        Assert.DoesNotContain("Rules of a house.", Within(full - 7));
        Assert.Contains("- **Pets**\n", Within(full - 7));
        Assert.DoesNotContain("Pets", Within(full - 11));
        Assert.EndsWith(policy.Spec("theft").Text[policy.Spec("theft").Text.IndexOf("## Theft", StringComparison.Ordinal)..], Within(full - 11));
    }

    [Fact]
    public void A_budget_below_what_must_stay_is_an_error_that_names_what_is_needed()
    {
        var policy = Written.Policy();
        var needed = int.Parse(Assert.Throws<PolicyException>(() => policy.Spec("theft", 20, Words)).Message.Split("needs ")[1].Split(' ')[0]);
        Assert.Equal(needed, Words(policy.Spec("theft", needed, Words).Text));
        Assert.Equal(
            $"{Path.Combine("rules", "theft.md")}: the specification of 'theft' needs {needed} tokens at the least and the budget is {needed - 1}; raise the budget or shorten the category",
            Assert.Throws<PolicyException>(() => policy.Spec("theft", needed - 1, Words)).Message);
        Assert.Contains("shorten principles and styles", Assert.Throws<PolicyException>(() => policy.Spec(null, 3)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => policy.Spec("theft", 0));
    }

    [Fact]
    public void Tokens_are_a_quarter_of_the_characters_where_nobody_counts_them()
    {
        var policy = Written.Policy();
        var text = policy.Spec("theft").Text;
        Assert.Equal(text, policy.Spec("theft", (text.Length + 3) / 4).Text);
        Assert.NotEqual(text, policy.Spec("theft", (text.Length + 3) / 4 - 1).Text);
    }

    [Fact]
    public void A_category_that_is_not_there_is_an_error_that_names_those_that_are() =>
        Assert.Equal("rules: there is no category 'arson'; known are pets, theft", Assert.Throws<PolicyException>(() => Written.Policy().Spec("arson")).Message);
}
