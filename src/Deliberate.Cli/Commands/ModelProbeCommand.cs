using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Cli.Interaction;

namespace Deliberate.Cli.Commands;

/// <summary>
/// A command for scripts: reads one JSON value a line and writes one a line. What is wrong with a line is <c>{"error": "…"}</c> in its place, and the next
/// goes on.
/// </summary>
internal abstract class ModelProbeCommand : Command
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Argument<string> _model;
    private readonly Terminal _terminal;

    protected ModelProbeCommand(Terminal terminal, string name, string description, string path = ModelPath.Description) : base(name, description)
    {
        _terminal = terminal;
        _model = new("PATH") { Description = path };
        Arguments.Add(_model);
        SetAction(RunAsync);
    }

    /// <summary>Opens what the path names.</summary>
    /// <returns>What answers one line, and what is to be disposed of at the end.</returns>
    protected abstract (Func<JsonElement, JsonNode> Answer, IDisposable? Owned) Open(string path, ParseResult parse);

    /// <summary>Token ids of a line.</summary>
    /// <exception cref="InvalidDataException">It holds something else.</exception>
    protected static int[] Ids(JsonElement line) => line.ValueKind == JsonValueKind.Array && line.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out _))
        ? [.. line.EnumerateArray().Select(item => item.GetInt32())] : throw new InvalidDataException("the line is no list of token ids");

    protected static JsonArray Array(IEnumerable<int> ids) => new([.. ids.Select(id => (JsonNode)id)]);

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var (answer, owned) = Open(await ModelPath.ResolveAsync(parse.GetRequiredValue(_model), _terminal, cancel), parse);
        using (owned)
        {
            while (await _terminal.Input.ReadLineAsync(cancel) is { } line)
            {
                if (string.IsNullOrWhiteSpace(line)) continue;
                await _terminal.Results.WriteLineAsync(Answer(line, answer).ToJsonString(Plain).AsMemory(), cancel);
                await _terminal.Results.FlushAsync(cancel);
            }
        }

        return ExitCodes.Success;
    }

    private static JsonNode Answer(string line, Func<JsonElement, JsonNode> answer)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return answer(document.RootElement);
        }
#pragma warning disable CA1031 // whatever is wrong with a line, the next one goes on
        catch (Exception problem)
        {
            return new JsonObject { ["error"] = problem is JsonException ? $"the line is no JSON: {problem.Message.ReplaceLineEndings(" ")}" : problem.Message.ReplaceLineEndings(" ") };
        }
#pragma warning restore CA1031
    }
}
