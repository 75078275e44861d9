using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Cli.Interaction;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;

namespace Deliberate.Cli.Commands;

/// <summary><c>model inspect</c>: what a model's folder holds.</summary>
internal sealed class ModelInspectCommand : Command
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Argument<string> _model = new("PATH") { Description = ModelPath.Description };
    private readonly Option<bool> _tensors = new("--tensors") { Description = "Print every tensor too." };
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };
    private readonly Terminal _terminal;

    public ModelInspectCommand(Terminal terminal) : base("inspect", "Check a model's folder and print what it holds: family, shape, weights, tokenizer, template, memory.")
    {
        _terminal = terminal;
        Arguments.Add(_model);
        Options.Add(_tensors);
        Options.Add(_json);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var model = ModelInspection.Of(await ModelPath.ResolveAsync(parse.GetRequiredValue(_model), _terminal, cancel));
        if (parse.GetValue(_json)) _terminal.Results.WriteLine(Json(model, parse.GetValue(_tensors)).ToJsonString(Indented));
        else
        {
            Facts.Write(_terminal, [.. Told(model)]);
            if (parse.GetValue(_tensors))
                foreach (var tensor in model.Tensors) _terminal.Results.WriteLine($"{tensor.Name}  {tensor.Type}  [{string.Join(", ", tensor.Shape)}]  {tensor.File}");
        }

        return ExitCodes.Success;
    }

    private static IEnumerable<(string, string)> Told(ModelInspection model)
    {
        static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
        var config = model.Config;
        yield return ("family", config.Family.ToString());
        yield return ("parameters", Text($"{model.Parameters:N0}"));
        yield return ("shape", Text($"{config.Layers} layers of {config.HiddenSize}, feed-forward {config.FeedForward}, {config.Heads} heads of {config.HeadDim} over {config.KvHeads} of keys and values"));
        yield return ("positions", Text($"{config.MaxPositions:N0}"));
        yield return ("vocabulary", Text($"{config.VocabSize:N0}{(config.TieEmbeddings ? ", output tied to the embedding" : "")}"));
        foreach (var type in model.Types) yield return ("weights", Text($"{type.Tensors} tensors in {type.Type}, {type.Bytes / 1e6:N1} MB"));
        yield return ("files", string.Join(", ", model.Files));
        yield return ("tokenizer", model.Tokenizer is { } tokenizer ? Text($"{tokenizer.Model} with {tokenizer.Vocabulary:N0} tokens") : "none");
        yield return ("chat template", model.HasChatTemplate ? "yes" : "none");
        yield return ("stop tokens", model.StopTokens.Count == 0 ? "none" : string.Join(", ", model.StopTokens));
        yield return ("memory", Text($"{model.MemoryToGenerate(TensorType.BF16, 4096) / 1e9:N2} GB in bf16, {model.MemoryToGenerate(TensorType.F32, 4096) / 1e9:N2} GB in fp32, to generate with 4,096 tokens at once"));
        yield return ("fingerprint", model.Fingerprint);
    }

    private static JsonObject Json(ModelInspection model, bool tensors)
    {
        var json = new JsonObject
        {
            ["family"] = model.Config.Family.ToString(),
            ["parameters"] = model.Parameters,
            ["layers"] = model.Config.Layers,
            ["hidden_size"] = model.Config.HiddenSize,
            ["intermediate_size"] = model.Config.FeedForward,
            ["heads"] = model.Config.Heads,
            ["kv_heads"] = model.Config.KvHeads,
            ["head_dim"] = model.Config.HeadDim,
            ["positions"] = model.Config.MaxPositions,
            ["vocab_size"] = model.Config.VocabSize,
            ["tied"] = model.Config.TieEmbeddings,
            ["types"] = new JsonArray([.. model.Types.Select(type => (JsonNode)new JsonObject { ["type"] = type.Type, ["tensors"] = type.Tensors, ["bytes"] = type.Bytes })]),
            ["files"] = new JsonArray([.. model.Files.Select(file => (JsonNode)file)]),
            ["tokenizer"] = model.Tokenizer is { } tokenizer ? new JsonObject { ["model"] = tokenizer.Model, ["tokens"] = tokenizer.Vocabulary } : null,
            ["chat_template"] = model.HasChatTemplate,
            ["stop_tokens"] = new JsonArray([.. model.StopTokens.Select(token => (JsonNode)token)]),
            ["fingerprint"] = model.Fingerprint,
        };
        if (tensors)
            json["tensors"] = new JsonArray([.. model.Tensors.Select(tensor => (JsonNode)new JsonObject { ["name"] = tensor.Name, ["type"] = tensor.Type, ["shape"] = new JsonArray([.. tensor.Shape.Select(size => (JsonNode)size)]), ["file"] = tensor.File })]);
        return json;
    }
}
