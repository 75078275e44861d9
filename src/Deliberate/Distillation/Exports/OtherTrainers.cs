using System.Text.Json;
using System.Text.Json.Serialization;
using Deliberate.Conversations;
using Deliberate.Runs;
using static Deliberate.Distillation.Exports.Rows;

namespace Deliberate.Distillation.Exports;

/// <summary>axolotl's <c>chat_template</c> data: <c>messages</c> with <c>reasoning_content</c> beside the answer, and the lines for its configuration beside the file.</summary>
public sealed class Axolotl : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "axolotl";

    /// <inheritdoc/>
    public override string Purpose => "axolotl: chat_template messages, and the lines for its configuration";

    private protected override async Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken)
    {
        var result = await LinesAsync(path, [.. examples.Select(example => new Row(
            [
                .. example.Conversation.Turns.Select(turn => new Said(turn.Role, turn.Text, null)),
                options.ThinkTags ? new Said(Role.Assistant, Tagged(example), null) : new Said(Role.Assistant, example.Answer, example.Thinking),
            ], example))]).ConfigureAwait(false);
        var settings = path + ".yaml";
        AtomicFile.WriteText(settings, $"""
            datasets:
              - path: {JsonSerializer.Serialize(Path.GetFileName(path))}
                ds_type: json
                type: chat_template
                field_messages: messages
                roles_to_train: ["assistant"]
                train_on_eos: turn{(options.ThinkTags ? "\n    split_thinking: true" : "")}

            """);
        return result with { Files = [path, settings] };
    }

    private sealed record Row(Said[] Messages, TrainingExample Example) : WithOrigin(Example);

    private sealed record Said(Role Role, string Content, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ReasoningContent);
}

/// <summary>
/// OpenRLHF's JSON lines: <c>input</c> and <c>output</c> as messages (<c>input_key</c>, <c>output_key</c>, <c>apply_chat_template</c>), thoughts tagged in the output, and
/// a <c>label</c> for its reward server: a JSON text with id, policy hash and category.
/// </summary>
public sealed class OpenRlhf : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "openrlhf";

    /// <inheritdoc/>
    public override string Purpose => "OpenRLHF: input and output as messages, with a label for its reward server";

    private protected override Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken) =>
        LinesAsync(path, [.. examples.Select(example => new Row(Prompt(example), [new(Role.Assistant, Tagged(example))], Label(example), example))]);

    private static string Label(TrainingExample example) =>
        JsonSerializer.Serialize(new { example.Id, example.Provenance.PolicyHash, Category = example.Category ?? example.Provenance.Category }, RunJson.Options);

    private sealed record Row(Message[] Input, Message[] Output, string Label, TrainingExample Example) : WithOrigin(Example);
}

/// <summary>
/// NeMo Gym's rows for reinforcement learning: <c>responses_create_params</c> with the prompt as <c>input</c>; the other columns come back to the resources server. One row a prompt.
/// </summary>
public sealed class NemoGym : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "nemo-gym";

    /// <inheritdoc/>
    public override string Purpose => "NeMo Gym: prompts for reinforcement learning";

    private protected override Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken) =>
        LinesAsync(path, [.. ByPrompt(examples).Select(example => new Row(new(Prompt(example)), example))]);

    private sealed record Row(Parameters ResponsesCreateParams, TrainingExample Example) : WithOrigin(Example);

    private sealed record Parameters(Message[] Input);
}
