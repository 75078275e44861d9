using System.Net.Http.Headers;

namespace Deliberate.Endpoints.Models;

/// <summary>
/// A key to an endpoint, which comes from an environment variable and from nowhere else. Its value is in no property, so that it cannot
/// get into a message, a log or a file. Immutable.
/// </summary>
public sealed class ApiKey
{
    /// <summary>The variable that is read for any endpoint.</summary>
    public const string DefaultVariable = "DELIBERATE_API_KEY";

    /// <summary>The variable that is read for OpenAI's own servers alone: another server has no business with that key.</summary>
    public const string OpenAIVariable = "OPENAI_API_KEY";

    private readonly string _value;

    private ApiKey(string variable, string value) => (Variable, _value) = (variable, value);

    /// <summary>Name of the variable that held it.</summary>
    public string Variable { get; }

    /// <summary>Finds the key for an address, or null when there is none, as with most local servers.</summary>
    /// <param name="address">The endpoint's address.</param>
    /// <param name="variable">Name of the variable to read, or null to read <see cref="DefaultVariable"/>, then, for OpenAI's own servers, <see cref="OpenAIVariable"/>.</param>
    /// <param name="environment">Gives the value of a variable; null takes the process's environment.</param>
    /// <exception cref="ModelSettingsException">The named variable is not set, or a key has characters that no key has.</exception>
    public static ApiKey? FromEnvironment(Uri address, string? variable = null, Func<string, string?>? environment = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        environment ??= Environment.GetEnvironmentVariable;
        string[] names = variable is not null ? [variable] : IsOpenAI(address) ? [DefaultVariable, OpenAIVariable] : [DefaultVariable];
        foreach (var name in names)
        {
            var value = environment(name)?.Trim();
            if (string.IsNullOrEmpty(value)) continue;
            return value.All(c => c is > ' ' and < '\x7f') ? new(name, value)
                : throw new ModelSettingsException($"The key in the environment variable {name} has characters that no key has: set it anew, without quotes or line breaks.");
        }

        return variable is null ? null : throw new ModelSettingsException($"The environment variable {variable} is not set: set it to the key for {address.Host}, or leave out key_env.");
    }

    /// <summary>Says where the key comes from; the value is not part of it.</summary>
    public override string ToString() => $"(key from {Variable})";

    internal static bool IsOpenAI(Uri address) => address.Scheme == Uri.UriSchemeHttps
        && (address.Host.Equals("api.openai.com", StringComparison.OrdinalIgnoreCase) || address.Host.EndsWith(".api.openai.com", StringComparison.OrdinalIgnoreCase));

    internal void Authorize(HttpRequestHeaders headers) => headers.Authorization = new("Bearer", _value);

    /// <summary>Takes the key out of a text that came from elsewhere.</summary>
    internal string Redact(string text) => text.Replace(_value, "(key)", StringComparison.OrdinalIgnoreCase);
}
