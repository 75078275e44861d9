using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Conversations;
using Deliberate.Runs;
using static Deliberate.Distillation.Exports.Rows;

namespace Deliberate.Distillation.Exports;

/// <summary>What both of LLaMA-Factory's layouts share: a folder with the data as a JSON array and <c>dataset_info.json</c>, with thoughts tagged in the answer.</summary>
public abstract class LlamaFactory : ExportFormat
{
    private protected override Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken)
    {
        var leftOut = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var rows = new List<object>();
        foreach (var example in examples)
        {
            var (row, reason) = Row(example);
            if (row is not null) rows.Add(row);
            else leftOut[reason!] = leftOut.GetValueOrDefault(reason!) + 1;
        }

        var (data, info) = (Path.Combine(path, options.Name + ".json"), Path.Combine(path, "dataset_info.json"));
        AtomicFile.Write(data, stream => JsonSerializer.Serialize(stream, rows, RunJson.Indented));
        // A folder may hold several data sets: the others stay.
        var sets = File.Exists(info) ? Known(info) : [];
        sets[options.Name] = Info(options.Name + ".json");
        AtomicFile.Write(info, stream => JsonSerializer.Serialize(stream, sets, RunJson.Indented));
        return Task.FromResult(new ExportResult([data, info], rows.Count, leftOut));
    }

    /// <summary>An example as a row, or why it cannot be one.</summary>
    private protected abstract (object? Row, string? Reason) Row(TrainingExample example);

    /// <summary>The entry of <c>dataset_info.json</c>.</summary>
    private protected abstract JsonObject Info(string file);

    /// <summary>System messages, and the turns after them, in which consecutive turns of one speaker are one; null when a system message stands among those.</summary>
    private protected static (string? System, List<Turn> Turns)? Split(TrainingExample example)
    {
        var system = string.Join("\n\n", example.Conversation.Turns.TakeWhile(turn => turn.Role == Role.System).Select(turn => turn.Text));
        var turns = new List<Turn>();
        foreach (var turn in example.Conversation.Turns.SkipWhile(turn => turn.Role == Role.System))
        {
            if (turn.Role == Role.System) return null;
            if (turns is [.., var last] && last.Role == turn.Role) turns[^1] = last with { Text = $"{last.Text}\n\n{turn.Text}" };
            else turns.Add(turn);
        }

        return (system.Length == 0 ? null : system, turns);
    }

    private static JsonObject Known(string info)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(info)) as JsonObject ?? throw new JsonException("it is no object");
        }
        catch (JsonException problem)
        {
            throw new InvalidDataException($"{info}: not valid ({problem.Message}). Mend it, or choose another folder.", problem);
        }
    }
}

/// <summary>LLaMA-Factory's sharegpt layout: <c>conversations</c> of <c>from</c> and <c>value</c>.</summary>
public sealed class LlamaFactorySharegpt : LlamaFactory
{
    /// <inheritdoc/>
    public override string Name => "llama-factory-sharegpt";

    /// <inheritdoc/>
    public override string Purpose => "LLaMA-Factory: sharegpt layout and dataset_info.json, in a folder";

    private protected override (object? Row, string? Reason) Row(TrainingExample example)
    {
        if (Split(example) is not { } split) return (null, "a system message inside the conversation");
        // The layout wants users and tools in odd places, the model in even ones.
        if (split.Turns.Where((turn, i) => (i % 2 == 0) == (turn.Role == Role.Assistant)).Any()) return (null, "speakers that do not take turns");
        return (new SharegptRow([.. split.Turns.Select(turn => new Said(From(turn.Role), turn.Text)), new Said("gpt", Tagged(example))], split.System ?? "", example), null);
    }

    private protected override JsonObject Info(string file) => new()
    {
        ["file_name"] = file,
        ["formatting"] = "sharegpt",
        ["columns"] = new JsonObject { ["messages"] = "conversations", ["system"] = "system" },
        ["tags"] = new JsonObject { ["role_tag"] = "from", ["content_tag"] = "value", ["user_tag"] = "human", ["assistant_tag"] = "gpt", ["observation_tag"] = "observation" },
    };

    private static string From(Role role) => role switch { Role.Assistant => "gpt", Role.Tool => "observation", _ => "human" };

    private sealed record Said(string From, string Value);

    private sealed record SharegptRow(Said[] Conversations, string System, TrainingExample Example) : WithOrigin(Example);
}

/// <summary>LLaMA-Factory's alpaca layout: <c>instruction</c>, <c>input</c>, <c>output</c>, <c>system</c>, <c>history</c>. The answers in a history are trained on too.</summary>
public sealed class LlamaFactoryAlpaca : LlamaFactory
{
    /// <inheritdoc/>
    public override string Name => "llama-factory-alpaca";

    /// <inheritdoc/>
    public override string Purpose => "LLaMA-Factory: alpaca layout and dataset_info.json, in a folder";

    private protected override (object? Row, string? Reason) Row(TrainingExample example)
    {
        if (Split(example) is not { } split) return (null, "a system message inside the conversation");
        if (split.Turns.Any(turn => turn.Role == Role.Tool)) return (null, "a tool's message");
        if (split.Turns[0].Role != Role.User) return (null, "speakers that do not take turns");
        string[][] history = [.. split.Turns.SkipLast(1).Chunk(2).Select(pair => (string[])[pair[0].Text, pair[1].Text])];
        return (new AlpacaRow(split.Turns[^1].Text, "", Tagged(example), split.System ?? "", history, example), null);
    }

    private protected override JsonObject Info(string file) => new()
    {
        ["file_name"] = file,
        ["columns"] = new JsonObject { ["prompt"] = "instruction", ["query"] = "input", ["response"] = "output", ["system"] = "system", ["history"] = "history" },
    };

    private sealed record AlpacaRow(string Instruction, string Input, string Output, string System, string[][] History, TrainingExample Example) : WithOrigin(Example);
}
