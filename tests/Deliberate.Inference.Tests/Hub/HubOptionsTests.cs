using Deliberate.Inference.Hub;
using Xunit;

namespace Deliberate.Inference.Tests.Hub;

public sealed class HubOptionsTests
{
    [Theory]
    [InlineData("hf:o/m", "o", "m", "main")]
    [InlineData("hf:o/m@v1.0", "o", "m", "v1.0")]
    [InlineData("hf:HuggingFaceTB/SmolLM2-135M@refs/pr/1", "HuggingFaceTB", "SmolLM2-135M", "refs/pr/1")]
    public void A_reference_is_read(string text, string owner, string name, string revision)
    {
        Assert.True(HubReference.Is(text));
        Assert.Equal(new(owner, name, revision), HubReference.Parse(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("o/m")]
    [InlineData("hf:")]
    [InlineData("hf:m")]
    [InlineData("hf:o/m/x")]
    [InlineData("hf:../m")]
    [InlineData("hf:o/..")]
    [InlineData("hf:o/m@")]
    [InlineData("hf:o/m@../../x")]
    [InlineData("hf:o/m@/x")]
    [InlineData("hf:o/a--b")]
    [InlineData("hf:o/a b")]
    [InlineData("hf:o\\x/m")]
    [InlineData("hf:o/m@a\nb")]
    public void What_is_none_is_refused_in_one_line(string text)
    {
        var message = Assert.Throws<FormatException>(() => HubReference.Parse(text)).Message;
        Assert.Contains("hf:OWNER/NAME", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void The_environment_is_that_of_other_programs()
    {
        static HubOptions From(params (string Name, string Value)[] variables) => HubOptions.From(name => variables.FirstOrDefault(variable => variable.Name == name).Value);
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal((new Uri("https://huggingface.co"), null, Path.Combine(home, ".cache", "huggingface", "hub"), false), (From().Endpoint, From().Token, From().Cache, From().Offline));
        Assert.Equal(Path.Combine("/x", "huggingface", "hub"), From(("XDG_CACHE_HOME", "/x")).Cache);
        Assert.Equal(Path.Combine("/h", "hub"), From(("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/x")).Cache);
        Assert.Equal("/c", From(("HF_HUB_CACHE", "/c"), ("HF_HOME", "/h")).Cache);
        var set = From(("HF_ENDPOINT", "https://mirror.example/hf"), ("HF_TOKEN", " secret\n"), ("HF_HUB_OFFLINE", "true"));
        Assert.Equal((new Uri("https://mirror.example/hf"), "secret", true), (set.Endpoint, set.Token, set.Offline));
        foreach (var wrong in (string[])["mirror", "ftp://x", "https://user:secret@x"])
            Assert.DoesNotContain("secret", Assert.Throws<HubException>(() => From(("HF_ENDPOINT", wrong))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://example.com", null, "is not an https address")]
    [InlineData("http://127.0.0.1.example.com", "t", "is not an https address")]
    [InlineData("https://example.com", "se cret", "HF_TOKEN holds a space")]
    [InlineData("https://example.com", "secr\u00e9t", "HF_TOKEN holds a space")]
    public async Task What_would_give_the_token_away_or_cannot_be_one_is_refused(string endpoint, string? token, string expected)
    {
        using var folder = new TemporaryFolder();
        var options = new HubOptions { Endpoint = new(endpoint), Token = token, Cache = folder.Path };
        var message = (await Assert.ThrowsAsync<HubException>(() => HubDownload.GetAsync(new("o", "m"), options, null, TestContext.Current.CancellationToken))).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("secr", message, StringComparison.Ordinal);
    }
}
