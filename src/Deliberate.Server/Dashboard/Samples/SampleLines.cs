using System.Text.Json;
using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Runs;

namespace Deliberate.Server.Dashboard.Samples;

/// <summary>The layouts of lines in a run's files of samples, verdicts and examples.</summary>
internal static class SampleLines
{
    /// <summary>A piece of a stage's log.</summary>
    public sealed record Logged<T>(string Id, T Item);

    /// <summary>A sample with its verdicts, as a run on prompts of files keeps it.</summary>
    public sealed record Judged(Sample Sample, string? FormatReason = null, Judgement? Judgement = null);

    /// <summary>A training example.</summary>
    public sealed record Example(Message[] Messages, string Id, Provenance Provenance, string? Category = null, string? Action = null);

    /// <summary>A message of a training example.</summary>
    public sealed record Message(Role Role, string Content, string Thinking = "");

    /// <summary>What names a sample: a line whose sample is known is read for no more, which is several times faster.</summary>
    public sealed record NamedSample(NamedPrompt Prompt, int Index)
    {
        public string Id => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Prompt.Id}#{Index}");
    }

    /// <summary>What names a prompt.</summary>
    public sealed record NamedPrompt(string Id);

    /// <summary>A rejected sample without its texts.</summary>
    public sealed record RejectedName(NamedSample Sample, string Reason, string? Action = null);

    /// <summary>A judged sample without its texts.</summary>
    public sealed record JudgedName(NamedSample Sample, string? FormatReason = null, Judgement? Judgement = null);

    /// <summary>A training example without its texts.</summary>
    public sealed record ExampleName(string Id, string? Action = null);

    /// <summary>Reads a line; null when it is of another layout.</summary>
    public static T? Read<T>(ReadOnlySpan<byte> line) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, RunJson.Options);
        }
        catch (Exception problem) when (problem is JsonException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The sample of an example's line.</summary>
    public static Sample? SampleOf(Example example)
    {
        if (example.Messages is not [.. var prompt, { Role: Role.Assistant } reply] || prompt is not [.., { Role: Role.User }]) return null;
        var id = example.Id.LastIndexOf('#') is > 0 and var at ? example.Id[..at] : example.Id;
        var conversation = new Conversation([.. prompt.Select(message => new Turn(message.Role, message.Content))]);
        return new(new(id, conversation, example.Category), example.Provenance.SampleIndex, new(reply.Thinking, reply.Content), example.Provenance);
    }

    /// <summary>The sample that stands on a line, whichever of the layouts it has.</summary>
    public static Sample? SampleOf(ReadOnlySpan<byte> line) =>
        Read<Logged<Sample>>(line)?.Item ?? Read<Sample>(line) ?? Read<RejectedSample>(line)?.Sample ?? Read<Judged>(line)?.Sample ?? (Read<Example>(line) is { } example ? SampleOf(example) : null);
}
