using CsCheck;
using Deliberate.Conversations;
using Deliberate.Prompts;
using Xunit;

namespace Deliberate.Tests.Prompts;

public class PromptTextTests
{
    [Theory]
    [InlineData("  How do I\tBAKE bread?! ", "how do i bake bread")]
    [InlineData("don't stop", "don t stop")]
    [InlineData("ze\u200Bro", "zero")]
    [InlineData("ＡＢＣ", "abc")]
    [InlineData("7*8", "7 * 8")]
    [InlineData("7 / 8", "7 / 8")]
    [InlineData("こんにちは", "こ ん に ち は")]
    [InlineData("?!", "?!")]
    [InlineData("", "")]
    public void Words_are_compared_whatever_case_spacing_and_punctuation(string text, string normal) => Assert.Equal(normal, PromptText.Normalise(text));

    [Fact]
    public void Any_text_has_a_normal_form_that_stays_itself() => Gen.String.Sample(text =>
    {
        var normal = PromptText.Normalise(text);
        Assert.Equal(normal, PromptText.Normalise(normal));
    });

    [Fact]
    public void The_hash_is_that_of_words_and_roles()
    {
        static string Hash(params Turn[] turns) => PromptText.Hash(new Conversation(turns));
        Assert.Equal(Hash(new Turn(Role.User, "Hi there")), Hash(new Turn(Role.User, "hi,  THERE!")));
        Assert.NotEqual(Hash(new Turn(Role.User, "Hi there")), Hash(new Turn(Role.System, "Hi there")));
        Assert.NotEqual(Hash(new Turn(Role.User, "a b")), Hash(new Turn(Role.User, "a"), new Turn(Role.User, "b")));
    }
}
