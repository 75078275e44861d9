using Deliberate.Generation;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Tests.Generation;

public class FormatFilterTests
{
    private static readonly Spec Theft = new("## Theft\n- **T3 Instructions.** Never explain how a lock, a till or an alarm can be beaten by a thief.", "theft", "hash");

    [Theory]
    [InlineData("why", "Sorry, I cannot help with that.", false, null)]
    [InlineData("", "Sorry.", false, "no thought")]
    [InlineData("why", " \n", false, "empty answer")]
    [InlineData("why", "Sorry.", true, "truncated")]
    [InlineData("why", "The policy above forbids that.", false, "points at")]
    [InlineData("why", "As the provided guidelines say, no.", false, "points at")]
    [InlineData("why", "No, by [T3].", false, "names clause T3")]
    [InlineData("why", "No, by clause T3.", false, "names clause T3")]
    [InlineData("why", "See note [A1].", false, null)]
    [InlineData("why", "I shall never explain how a Lock, a till, or an alarm can be beaten by a thief!", false, "repeats the specification")]
    [InlineData("why", "A lock, a till or an alarm.", false, null)]
    [InlineData("why", "Just follow the rules below and the instructions above the stove.", false, null)]
    public void Names_what_is_wrong(string thinking, string answer, bool truncated, string? reason)
    {
        var found = new FormatFilter(requireThinking: true, leakWords: 8).Reason(new(thinking, answer, truncated), Theft);
        if (reason is null) Assert.Null(found);
        else Assert.Contains(reason, found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_thought_is_required_only_when_asked_for() => Assert.Null(new FormatFilter(requireThinking: false).Reason(new("", "Sorry.")));

    [Fact]
    public void The_reason_quotes_nothing_of_the_thought() =>
        Assert.DoesNotContain("SECRET", new FormatFilter().Reason(new("SECRET", "", true), Theft), StringComparison.Ordinal);
}
