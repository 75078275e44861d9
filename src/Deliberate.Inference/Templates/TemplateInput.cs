namespace Deliberate.Inference.Templates;

/// <summary>What a chat template is rendered with: a conversation and the settings of the call.</summary>
public sealed record TemplateInput
{
    /// <summary>The messages in order: dicts with <c>role</c>, <c>content</c> (a string or parts) and what else the template reads, such as <c>tool_calls</c>, <c>reasoning_content</c>.</summary>
    public required IReadOnlyList<TemplateValue> Messages { get; init; }

    /// <summary>The tools on offer as a list of JSON schemas; None to the template where there are none.</summary>
    public TemplateValue? Tools { get; init; }

    /// <summary>Whether the prompt shall end where the assistant begins to write.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>Whether the prompt shall end with the text of the last message, so that the model goes on with it.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>The tokenizer's special tokens by name: <c>bos_token</c>, <c>eos_token</c>, …</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; init; } = new Dictionary<string, string>();

    /// <summary>Further variables, such as <c>enable_thinking</c> or <c>reasoning_effort</c>.</summary>
    public IReadOnlyDictionary<string, TemplateValue> Variables { get; init; } = new Dictionary<string, TemplateValue>();

    /// <summary>The clock of <c>strftime_now</c>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What the template may use.</summary>
    public TemplateLimits Limits { get; init; } = new();
}

/// <summary>A part of a text: from <paramref name="Start"/> up to but without <paramref name="End"/>, in UTF-16 characters.</summary>
public readonly record struct TextSpan(int Start, int End)
{
    /// <summary>How many characters it has.</summary>
    public int Length => End - Start;
}

/// <summary>A rendered conversation.</summary>
/// <param name="Text">The prompt.</param>
/// <param name="Generations">What the template marks with <c>{% generation %}</c> as written by the assistant, in order; empty where it has no marks.</param>
public sealed record RenderedPrompt(string Text, IReadOnlyList<TextSpan> Generations)
{
    /// <summary>The line of a mark whose place in the text cannot be told, because it stands in a macro or another captured block; or null.</summary>
    public int? LostGeneration { get; init; }
}
