using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Cli.Interaction;
using Deliberate.Inference.Templates;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Cli.Commands;

/// <summary><c>model render</c>: conversations as the text that a model reads.</summary>
internal sealed class ModelRenderCommand : ModelProbeCommand
{
    private readonly Option<string> _bos = new("--bos") { HelpName = "TEXT", Description = "The begin-of-sequence token that the template may name. [default: the model's; of a template alone none]" };
    private readonly Option<string> _eos = new("--eos") { HelpName = "TEXT", Description = "The end-of-sequence token that the template may name. [default: the model's; of a template alone none]" };
    private readonly Option<string> _now = new("--now") { HelpName = "TIME", Description = "What strftime_now takes for the time, such as 2026-01-02T03:04:05. [default: now]" };

    public ModelRenderCommand(Terminal terminal)
        : base(terminal, "render", "Read an object with messages, add_generation_prompt, continue_final_message and kwargs a line, and write what the chat template makes of it.", "The model's folder or hf:OWNER/NAME@REVISION, or a template's file (.jinja).")
    {
        foreach (var option in (Option[])[_bos, _eos, _now]) Options.Add(option);
        Validators.Add(result =>
        {
            if (result.GetValue(_now) is { } now && !TryTime(now, out _)) result.AddError($"--now takes a time such as 2026-01-02T03:04:05; '{now}' is not.");
        });
    }

    protected override (Func<JsonElement, JsonNode> Answer, IDisposable? Owned) Open(string path, ParseResult parse)
    {
        var settings = Directory.Exists(path) ? TokenizerSettings.Load(path) : null;
        var text = settings is null ? File.ReadAllText(path) : settings.ChatTemplate ?? throw new InvalidDataException($"{path}: the model has no chat template.");
        var template = Parsed(text, settings is null ? Path.GetFileName(path) : "chat_template");
        var special = new Dictionary<string, string>(settings?.SpecialTokens ?? new Dictionary<string, string>());
        if (parse.GetValue(_bos) is { } bos) special["bos_token"] = bos;
        if (parse.GetValue(_eos) is { } eos) special["eos_token"] = eos;
        var time = parse.GetValue(_now) is { } now && TryTime(now, out var at) ? new FixedTime(at) : TimeProvider.System;
        return (line => Render(template, line, special, time), null);
    }

    private static ChatTemplate Parsed(string text, string name)
    {
        try
        {
            return ChatTemplate.Parse(text, name);
        }
        catch (TemplateException problem)
        {
            throw new InvalidDataException(problem.Message, problem);
        }
    }

    private static JsonObject Render(ChatTemplate template, JsonElement line, Dictionary<string, string> special, TimeProvider time)
    {
        if (line.ValueKind != JsonValueKind.Object || !line.TryGetProperty("messages", out var messages) || messages.ValueKind != JsonValueKind.Array) throw new InvalidDataException("the line is no object with a list of messages");
        var variables = line.TryGetProperty("kwargs", out var given) && given.ValueKind == JsonValueKind.Object ? given.EnumerateObject().ToDictionary(entry => entry.Name, entry => TemplateValue.From(entry.Value)) : [];
        variables.Remove("tools", out var tools);
        if (tools is null && line.TryGetProperty("tools", out var own)) tools = TemplateValue.From(own);
        var prompt = template.Render(new()
        {
            Messages = [.. messages.EnumerateArray().Select(TemplateValue.From)],
            Tools = tools,
            AddGenerationPrompt = Flag(line, "add_generation_prompt"),
            ContinueFinalMessage = Flag(line, "continue_final_message"),
            SpecialTokens = special,
            Variables = variables,
            Time = time,
        });
        var answer = new JsonObject { ["rendered"] = prompt.Text };
        if (template.MarksGeneration)
            answer["generation"] = new JsonArray([.. prompt.Generations.Select(span => (JsonNode)new JsonArray(Point(prompt.Text, span.Start), Point(prompt.Text, span.End)))]);
        return answer;
    }

    private static bool Flag(JsonElement line, string name) => line.TryGetProperty(name, out var value) && value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False or JsonValueKind.Null => false,
        _ => throw new InvalidDataException($"{name} is neither true nor false"),
    };

    // Places in code points, as Python counts them.
    private static int Point(string text, int unit) => text.AsSpan(0, unit).ToString().EnumerateRunes().Count();

    private static bool TryTime(string text, out DateTimeOffset time) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
