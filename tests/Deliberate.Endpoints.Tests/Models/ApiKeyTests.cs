using Deliberate.Endpoints.Models;
using Xunit;

namespace Deliberate.Endpoints.Tests.Models;

public class ApiKeyTests
{
    private static readonly Uri Own = new("http://127.0.0.1:8000/v1");

    private static Func<string, string?> Environment(params (string Name, string Value)[] variables) => name => variables.FirstOrDefault(variable => variable.Name == name).Value;

    [Fact]
    public void The_named_variable_goes_first_and_must_be_set()
    {
        var environment = Environment(("MINE", "a"), ("DELIBERATE_API_KEY", "b"));
        Assert.Equal("MINE", ApiKey.FromEnvironment(Own, "MINE", environment)!.Variable);
        Assert.Equal("DELIBERATE_API_KEY", ApiKey.FromEnvironment(Own, null, environment)!.Variable);
        Assert.Contains("OTHER is not set", Assert.Throws<ModelSettingsException>(() => ApiKey.FromEnvironment(Own, "OTHER", environment)).Message, StringComparison.Ordinal);
        Assert.Null(ApiKey.FromEnvironment(Own, null, Environment()));
    }

    [Theory]
    [InlineData("https://api.openai.com/v1", true)]
    [InlineData("https://eu.api.openai.com/v1", true)]
    [InlineData("http://api.openai.com/v1", false)]
    [InlineData("https://api.openai.com.example.org/v1", false)]
    [InlineData("http://127.0.0.1:8000/v1", false)]
    public void A_key_of_OpenAI_goes_to_OpenAI_alone(string address, bool sent) =>
        Assert.Equal(sent, ApiKey.FromEnvironment(new(address), null, Environment(("OPENAI_API_KEY", "a"))) is not null);

    [Fact]
    public void A_key_is_shown_nowhere()
    {
        var key = ApiKey.FromEnvironment(Own, null, Environment(("DELIBERATE_API_KEY", " sk-hidden\n")))!;
        Assert.Equal("(key from DELIBERATE_API_KEY)", key.ToString());
        Assert.Equal("said (key) and (key)", key.Redact("said sk-hidden and SK-HIDDEN"));
        var problem = Assert.Throws<ModelSettingsException>(() => ApiKey.FromEnvironment(Own, null, Environment(("DELIBERATE_API_KEY", "sk hidden\u00e9"))));
        Assert.DoesNotContain("hidden", problem.Message, StringComparison.Ordinal);
    }
}
