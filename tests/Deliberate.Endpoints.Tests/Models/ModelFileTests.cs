using CsCheck;
using Deliberate.Endpoints.Chat;
using Deliberate.Endpoints.Models;
using Xunit;

namespace Deliberate.Endpoints.Tests.Models;

public class ModelFileTests
{
    private const string Whole = """
        models:
          base:
            model: openai:Qwen/Qwen3-8B@http://127.0.0.1:8000/v1
            server: vllm
            api: chat
            key_env: MY_KEY
            reasoning_effort: low
            enable_thinking: true
            thinking_opened: false
            concurrency: 32
            requests_per_minute: 500
            tokens_per_minute: 100_000
            timeout_seconds: 300
            retries: 0
            max_output_tokens: 2048
            price: { input: 0.15, output: 0.60, cached_input: 0.05, currency: EUR }
            budget: { tokens: 1000000, money: 5.5 }
            extra_body: { min_p: 0.05, chat_template_kwargs: { x: [1, "1", yes, null] } }
          judge: ollama:qwen3
          grader: miniature
        """;

    [Fact]
    public void Every_setting_is_read()
    {
        var models = ModelFile.Parse(Whole).Models;
        Assert.Equal(["base", "grader", "judge"], models.Keys.Order());
        Assert.Equal((ModelKind.Ollama, ModelKind.Miniature), (models["judge"].Name.Kind, models["grader"].Name.Kind));
        var model = models["base"];
        Assert.Equal((EndpointApi.ChatCompletions, ServerKind.Vllm, "MY_KEY", "low", true, false), (model.Api, model.Server, model.KeyVariable, model.ReasoningEffort, model.EnableThinking, model.ThinkingOpened));
        Assert.Equal("""{"min_p":0.05,"chat_template_kwargs":{"x":[1,"1","yes",null]}}""", model.ExtraBody!.ToJsonString());
        var flow = model.Flow;
        Assert.Equal((32, 500, 100_000L, TimeSpan.FromMinutes(5), 0, 2048), (flow.MaxConcurrency, flow.RequestsPerMinute, flow.TokensPerMinute, flow.CallTimeout, flow.MaxRetries, flow.DefaultOutputTokens));
        Assert.Equal((1_000_000L, 5.5m, "EUR"), (flow.MaxTokens, flow.MaxCost, flow.Prices!.Currency));
        Assert.Equal(0.75m, flow.Prices.Find("Qwen/Qwen3-8B")!.Of(1_000_000, 1_000_000));
    }

    [Theory]
    [InlineData("", 0, "empty")]
    [InlineData("base: miniature", 1, "base: there is no such field: write one of models")]
    [InlineData("models:\n  base: gpt", 2, "base: 'gpt' names no model")]
    [InlineData("models:\n  base:\n    server: vllm", 3, "base: model is missing")]
    [InlineData("models:\n  base:\n    model: ollama:a\n    sever: vllm", 4, "sever: there is no such field")]
    [InlineData("models:\n  base:\n    model: ollama:a\n    server: vlm", 4, "server: must be one of compatible, openai, vllm, sglang, llamacpp")]
    [InlineData("models:\n  base:\n    model: ollama:a\n    retries: -1", 4, "retries: must be a whole number from 0 to 100")]
    [InlineData("models:\n  base:\n    model: ollama:a\n    enable_thinking: yes", 4, "enable_thinking: must be true or false")]
    [InlineData("models:\n  base:\n    model: ollama:a\n    api_key: sk-hidden", 4, "put it into an environment variable")]
    [InlineData("models:\n  base:\n    model: ollama:a\n    key_env: sk-hidden", 4, "must be the name of an environment variable")]
    [InlineData("models:\n  base:\n    model: ollama:a\n    budget: { money: 5 }", 4, "a budget in money needs a price")]
    [InlineData("models:\n  base:\n    model: ollama:a\n    price: { input: 5 }", 4, "price: output is missing")]
    [InlineData("models:\n  base:\n    model: miniature\n    retries: 1", 4, "retries is for models behind an endpoint")]
    [InlineData("models:\n  base: miniature\n  base: miniature", 3, "base: stands twice")]
    [InlineData("models:\n  a: &x miniature\n  b: *x", 3, "b: refers to another part")]
    [InlineData("models:\n  a: [b", 2, "no YAML")]
    [InlineData("models: {a: miniature}\n---\nmodels: {}", 2, "second document")]
    public void What_cannot_be_used_is_said_with_file_line_and_field(string text, int line, string said)
    {
        var problem = Assert.Throws<ModelSettingsException>(() => ModelFile.Parse(text, "d.yaml"));
        Assert.Contains(said, problem.Message, StringComparison.Ordinal);
        Assert.StartsWith(line == 0 ? "d.yaml: " : $"d.yaml:{line}: ", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem.Message);
        Assert.DoesNotContain("hidden", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_and_missing_files_are_problems_like_others()
    {
        Assert.Contains("nested deeper", Assert.Throws<ModelSettingsException>(() => ModelFile.Parse("models: " + new string('[', 100_000))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<ModelSettingsException>(() => ModelFile.Read("/no/such/deliberate.yaml")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_text_is_a_file_or_a_problem() =>
        Gen.Select(Gen.Int[0, Whole.Length], Gen.Int[0, 20], Gen.OneOf(Gen.String[0, 5], Gen.OneOf("\n", ": ", "- ", "[", "{", "&a", "*a", "!!x", "'", "\t", "#", "%", "|", "? ")))
            .Sample((at, cut, put) =>
            {
                var text = Whole[..at] + put + Whole[Math.Min(Whole.Length, at + cut)..];
                try
                {
                    Assert.NotNull(ModelFile.Parse(text));
                }
                catch (ModelSettingsException problem)
                {
                    Assert.DoesNotContain('\n', problem.Message);
                }
            }, iter: 1000);
}
