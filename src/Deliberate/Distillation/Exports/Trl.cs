using System.Text.Json.Serialization;
using Deliberate.Conversations;
using static Deliberate.Distillation.Exports.Rows;

namespace Deliberate.Distillation.Exports;

/// <summary>TRL's conversational format for supervised fine-tuning: <c>messages</c>, with the thought in a <c>thinking</c> field.</summary>
public sealed class TrlMessages : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "trl-messages";

    /// <inheritdoc/>
    public override string Purpose => "TRL SFTTrainer: messages";

    private protected override Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken)
    {
        if (options.ThinkTags) return LinesAsync(path, [.. examples.Select(example => new Row([.. Prompt(example), new(Role.Assistant, Tagged(example))], example))]);
        TrainingFile.Write(path, examples);
        return Task.FromResult(new ExportResult([path], examples.Count, new Dictionary<string, int>()));
    }

    private sealed record Row(Message[] Messages, TrainingExample Example) : WithOrigin(Example);
}

/// <summary>TRL's prompt and completion for supervised fine-tuning: the loss is taken on the completion alone.</summary>
public sealed class TrlPromptCompletion : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "trl-prompt-completion";

    /// <inheritdoc/>
    public override string Purpose => "TRL SFTTrainer: prompt and completion, loss on the completion";

    private protected override Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken) =>
        LinesAsync(path, [.. examples.Select(example => new Row(Prompt(example),
            [options.ThinkTags ? new(Role.Assistant, Tagged(example), null) : new(Role.Assistant, example.Answer, example.Thinking)], example))]);

    private sealed record Row(Message[] Prompt, Reply[] Completion, TrainingExample Example) : WithOrigin(Example);

    private sealed record Reply(Role Role, string Content, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Thinking);
}

/// <summary>
/// TRL's self-distillation (SDFTTrainer): the student sees <c>prompt</c>, the teacher also <c>privileged_context</c>, here the specification. The one format that holds it, and in no
/// training prompt. One row a prompt.
/// </summary>
public sealed class TrlSdft : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "trl-sdft";

    /// <inheritdoc/>
    public override string Purpose => "TRL SDFTTrainer: prompts, and the specification for the teacher alone";

    /// <inheritdoc/>
    public override bool HoldsSpecification => true;

    private protected override Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken) =>
        LinesAsync(path, [.. ByPrompt(examples).Select(example => new Row(Prompt(example), options.SpecOf!(example).Text, example))]);

    private sealed record Row(Message[] Prompt, string PrivilegedContext, TrainingExample Example) : WithOrigin(Example);
}
