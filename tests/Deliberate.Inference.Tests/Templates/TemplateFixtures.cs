using System.Text.Json;
using Deliberate.Inference.Templates;
using Xunit;

namespace Deliberate.Inference.Tests.Templates;

/// <summary>Cases that Jinja2 3.1.6 and transformers 5.23 rendered.</summary>
internal static class TemplateFixtures
{
    /// <summary>The clock of the cases.</summary>
    public static readonly TimeProvider Clock = new FixedClock(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public sealed record Case(string Template, string Name, TemplateInput Input, string? Rendered, TextSpan[]? Generation);

    /// <summary>The folder of real templates; skips the test where there is none.</summary>
    public static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "shared", "fixtures", "templates") is var path && Directory.Exists(path)) return path;
        Assert.Skip($"shared/fixtures/templates is in no folder above {AppContext.BaseDirectory}: others' chat templates do not come with the project.");
        return "";
    }

    public static string[] Templates() => [.. Directory.GetFiles(Folder(), "*.jinja").Order(StringComparer.Ordinal)];

    public static ChatTemplate Load(string path) => ChatTemplate.Parse(File.ReadAllText(path), Path.GetFileName(path));

    public static IEnumerable<Case> Cases(string path)
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(path, ".cases.json")));
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            var settings = item.GetProperty("kwargs").EnumerateObject().ToDictionary(entry => entry.Name, entry => TemplateValue.From(entry.Value));
            settings.Remove("tools", out var tools);
            var rendered = item.TryGetProperty("rendered", out var text) ? text.GetString() : null;
            yield return new(Path.GetFileName(path), item.GetProperty("name").GetString()!, new()
            {
                Messages = [.. item.GetProperty("messages").EnumerateArray().Select(TemplateValue.From)],
                Tools = tools,
                AddGenerationPrompt = item.GetProperty("add_generation_prompt").GetBoolean(),
                ContinueFinalMessage = item.GetProperty("continue_final_message").GetBoolean(),
                SpecialTokens = new Dictionary<string, string> { ["bos_token"] = "<BOS>", ["eos_token"] = "<EOS>" },
                Variables = settings,
                Time = Clock,
            }, rendered, item.TryGetProperty("generation", out var spans) ? [.. spans.EnumerateArray().Select(span => new TextSpan(Units(rendered!, span[0].GetInt32()), Units(rendered!, span[1].GetInt32())))] : null);
        }
    }

    /// <summary>The UTF-16 place of a code point; one behind a text that was cut to be continued is its end.</summary>
    private static int Units(string text, int point)
    {
        var at = 0;
        for (; point > 0 && at < text.Length; point--) at += char.IsSurrogatePair(text, at) ? 2 : 1;
        return at;
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
