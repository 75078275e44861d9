using System.Text.Json;
using Deliberate.Runs;

namespace Deliberate.Pipeline;

/// <summary>What a run was started from, for commands that come back to its folder.</summary>
/// <param name="Policy">The policy's folder.</param>
/// <param name="Model">The base model's folder, or its name at a hub; null: it is behind an endpoint.</param>
/// <param name="Spec">The whole policy as the model reads it.</param>
/// <param name="Codes">Tokens of the model that are lent to codes of the policy.</param>
internal sealed record RunOrigin(string Policy, string? Model, string Spec, IReadOnlyDictionary<string, string>? Codes = null)
{
    private const string FileName = "origin.json";

    public void Write(string runFolder) => AtomicFile.Write(Path.Combine(runFolder, FileName), stream => JsonSerializer.Serialize(stream, this, RunJson.Indented));

    /// <exception cref="AlignmentException">The folder is no run's.</exception>
    public static RunOrigin Read(string runFolder)
    {
        var path = Path.Combine(runFolder, FileName);
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<RunOrigin>(stream, RunJson.Options) ?? throw new JsonException("it is null");
        }
        catch (Exception problem) when (problem is IOException or JsonException)
        {
            throw new AlignmentException($"{runFolder} is no run's folder: {problem.Message} Start a run with `deliberate run --out {runFolder}`.", problem);
        }
    }
}
