using CsCheck;
using Deliberate.Endpoints.Models;
using Xunit;

namespace Deliberate.Endpoints.Tests.Models;

public class ModelNameTests
{
    [Theory]
    [InlineData("miniature", ModelKind.Miniature, null, null, null)]
    [InlineData("openai:gpt-5@https://api.openai.com/v1", ModelKind.OpenAI, "gpt-5", "https://api.openai.com/v1", null)]
    [InlineData("openai:gpt-5", ModelKind.OpenAI, "gpt-5", "https://api.openai.com/v1", null)]
    [InlineData(" openai:Qwen/Qwen3-8B@http://localhost:8000/v1/ ", ModelKind.OpenAI, "Qwen/Qwen3-8B", "http://localhost:8000/v1", null)]
    [InlineData("openai:me@home/model@http://[::1]:8000/v1", ModelKind.OpenAI, "me@home/model", "http://[::1]:8000/v1", null)]
    [InlineData("ollama:qwen3:8b", ModelKind.Ollama, "qwen3:8b", "http://127.0.0.1:11434", null)]
    [InlineData("ollama:qwen3:8b@http://gpu:11434", ModelKind.Ollama, "qwen3:8b", "http://gpu:11434", null)]
    [InlineData("local:/models/a b", ModelKind.Local, null, null, "/models/a b")]
    public void A_name_is_read(string text, ModelKind kind, string? model, string? address, string? path)
    {
        var name = ModelName.Parse(text);
        Assert.Equal(new ModelName(kind, model, address is null ? null : new(address), path), name);
        Assert.Equal(name, ModelName.Parse(name.ToString()));
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("gpt-5", "names no model")]
    [InlineData("OpenAI:gpt-5", "names no model")]
    [InlineData("openai:", "model's name at the server is missing")]
    [InlineData("openai:@http://h/v1", "model's name at the server is missing")]
    [InlineData("openai:m@localhost:8000/v1", "no http or https address")]
    [InlineData("openai:m@ftp://h/v1", "no http or https address")]
    [InlineData("openai:http://h/v1", "address follows the model's name")]
    [InlineData("openai:m@http://user:hidden-pw@h/v1", "user name or password")]
    [InlineData("openai:m@http://h/v1?api_key=hidden-pw", "'?' or '#'")]
    [InlineData("local:", "names no folder")]
    [InlineData("miniature:big", "takes nothing after its name")]
    [InlineData("local:a\nb", "line break")]
    public void What_is_no_name_is_said_in_one_line_without_secrets(string text, string said)
    {
        var problem = Assert.Throws<ModelSettingsException>(() => ModelName.Parse(text)).Message;
        Assert.Contains(said, problem, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem);
        Assert.DoesNotContain("hidden-pw", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_text_is_a_name_or_a_problem()
    {
        var piece = Gen.OneOf(Gen.OneOf("openai:", "ollama:", "local:", "miniature", "@", "http://", "://", "h", ":8000", "/v1", "[", "?", "#", " ", "%zz"), Gen.String);
        piece.Array[0, 6].Select(string.Concat).Sample(text =>
        {
            if (ModelName.TryParse(text, out var name, out var problem)) Assert.Equal(name, ModelName.Parse(name.ToString()));
            else Assert.False(string.IsNullOrWhiteSpace(problem) || problem.Contains('\n', StringComparison.Ordinal));
        }, iter: 2000);
    }
}
