using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Cli.Interaction;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;

namespace Deliberate.Cli.Commands;

/// <summary><c>model logits</c>: what a model expects after given tokens.</summary>
internal sealed class ModelLogitsCommand : ModelProbeCommand
{
    private readonly Option<WeightStorage> _weights = OptionsOf.Weights();

    public ModelLogitsCommand(Terminal terminal)
        : base(terminal, "logits", "Read a list of token ids a line and write the logits after the last of them (last), and the log-probability of each but the first given those before it (logprobs), in nats.") => Options.Add(_weights);

    protected override (Func<JsonElement, JsonNode> Answer, IDisposable? Owned) Open(string path, ParseResult parse)
    {
        using var stored = StoredModel.Open(path);
        var generator = new Generator(stored.Weights(), new() { Weights = parse.GetValue(_weights) });
        return (line => Answer(generator, Ids(line)), generator);
    }

    private static JsonObject Answer(Generator generator, int[] ids)
    {
        var (logits, width) = (generator.Logits(ids), generator.Config.VocabSize);
        var probabilities = new JsonArray();
        for (var at = 0; at + 1 < ids.Length; at++) probabilities.Add(LogProbability(logits.AsSpan(at * width, width), ids[at + 1]));
        return new() { ["last"] = new JsonArray([.. logits.AsSpan((ids.Length - 1) * width, width).ToArray().Select(logit => (JsonNode)logit)]), ["logprobs"] = probabilities };
    }

    private static double LogProbability(ReadOnlySpan<float> logits, int token)
    {
        double most = float.NegativeInfinity, sum = 0;
        foreach (var logit in logits) most = Math.Max(most, logit);
        foreach (var logit in logits) sum += Math.Exp(logit - most);
        return logits[token] - most - Math.Log(sum);
    }
}

/// <summary><c>model greedy</c>: how a model goes on when it always takes the likeliest token.</summary>
internal sealed class ModelGreedyCommand : ModelProbeCommand
{
    private readonly Option<int> _tokens = OptionsOf.Number("--tokens", "How many tokens.", 1, 32);
    private readonly Option<WeightStorage> _weights = OptionsOf.Weights();

    public ModelGreedyCommand(Terminal terminal) : base(terminal, "greedy", "Read a list of token ids a line and write the ids that follow, the likeliest one each time. Tokens that end a text do not end it.")
    {
        Options.Add(_tokens);
        Options.Add(_weights);
    }

    protected override (Func<JsonElement, JsonNode> Answer, IDisposable? Owned) Open(string path, ParseResult parse)
    {
        using var stored = StoredModel.Open(path);
        var (generator, tokens) = (new Generator(stored.Weights(), new() { Weights = parse.GetValue(_weights) }), parse.GetValue(_tokens));
        return (line => Array(generator.Generate([new() { Prompt = Ids(line), MaxNewTokens = tokens, Temperature = 0 }])[0].Tokens), generator);
    }
}
