using System.Security.Cryptography;
using System.Text.Json;

namespace Deliberate.Runs;

/// <summary>Names a stage's result by all that it depends on: change anything, and the stage is done anew.</summary>
public static class StageKey
{
    /// <summary>The first 16 hex digits of the SHA-256 over the parts as JSON; the same on every machine.</summary>
    /// <param name="parts">Texts, numbers, records, lists… in a fixed order.</param>
    public static string Of(params object?[] parts) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(parts, RunJson.Options)))[..16];
}
