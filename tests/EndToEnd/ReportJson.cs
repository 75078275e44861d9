using System.Text.Json;
using Xunit;

namespace Deliberate.EndToEnd.Tests;

/// <summary>Reads report files as any other program would: by the documented names.</summary>
internal static class ReportJson
{
    public static readonly string[] Arms = ["base", "base+policy", "instant-refusal", "sft", "rl-only", "sft+rl"];

    public static readonly string[] Metrics =
    [
        "harmful_complied", "over_refusal_benign", "over_refusal_allowed", "safe_completion", "jailbreak_complied", "goodness_at_0.1", "ood_complied",
        "ood_allowed_refused", "recall_comply", "recall_refuse", "recall_safe_complete", "recall_exact", "helpfulness", "correct",
    ];

    // Times, memory and the place of the run differ from run to run.
    private static readonly string[] Changing = ["machine", "seconds", "items_per_second", "path", "provenance", "notes"];

    public static JsonElement Read(string folder, string file = "report.json")
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, file)));
        return document.RootElement.Clone();
    }

    /// <summary>Every number and text that the seed decides, one line each.</summary>
    public static IReadOnlyList<string> Facts(string folder)
    {
        var facts = new List<string>();
        foreach (var part in Read(folder).EnumerateObject())
            if (part.Name != "name" && !Changing.Contains(part.Name)) Walk(part.Value, part.Name, facts);
        return facts;
    }

    /// <summary>Checks the five fields of a metric.</summary>
    public static void AssertMetric(JsonElement metric, string name)
    {
        Assert.Equal(["high", "low", "n", "unscored", "value"], metric.EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal));
        Assert.True(metric.GetProperty("unscored").GetInt32() >= 0, name);
        if (metric.GetProperty("n").GetInt32() == 0)
        {
            Assert.Equal(JsonValueKind.Null, metric.GetProperty("value").ValueKind);
            return;
        }

        var (low, value, high) = (metric.GetProperty("low").GetDouble(), metric.GetProperty("value").GetDouble(), metric.GetProperty("high").GetDouble());
        Assert.True(0 <= low && low <= value && value <= high && high <= 1, $"{name}: {low} {value} {high}");
    }

    /// <summary>A metric's value.</summary>
    public static double Value(JsonElement report, string arm, string metric) =>
        report.GetProperty("arms").EnumerateArray().Single(item => item.GetProperty("name").GetString() == arm).GetProperty("metrics").GetProperty(metric).GetProperty("value").GetDouble();

    private static void Walk(JsonElement element, string path, List<string> facts)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                    if (!Changing.Contains(property.Name)) Walk(property.Value, $"{path}.{property.Name}", facts);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray()) Walk(item, $"{path}[{index++}]", facts);
                break;
            default:
                facts.Add($"{path} = {element.GetRawText()}");
                break;
        }
    }
}
