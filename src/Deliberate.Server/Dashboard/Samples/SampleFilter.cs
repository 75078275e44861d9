using System.Globalization;
using Deliberate.Distillation.Reviews;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Deliberate.Server.Dashboard.Samples;

/// <summary>Which samples a list shows; null: whatever it is. Immutable.</summary>
public sealed record SampleFilter
{
    /// <summary>Stands for no category and for no known action.</summary>
    public const string None = "none";

    /// <summary>Category of the prompt, or <see cref="None"/>.</summary>
    public string? Category { get; init; }

    /// <summary>What the answer does, or <see cref="None"/>.</summary>
    public string? Action { get; init; }

    /// <summary>What became of the sample.</summary>
    public SampleFate? Fate { get; init; }

    /// <summary>Lowest score.</summary>
    public double? MinScore { get; init; }

    /// <summary>Highest score.</summary>
    public double? MaxScore { get; init; }

    /// <summary>"any", "none", "approve", "reject" or "edit".</summary>
    public string? Review { get; init; }

    /// <summary>Words that stand in the request.</summary>
    public string? Find { get; init; }

    /// <summary>Reads the filter of an address; what cannot be read counts as not given.</summary>
    public static SampleFilter Read(IQueryCollection query)
    {
        ArgumentNullException.ThrowIfNull(query);
        string? Text(string name) => query[name].ToString().Trim() is { Length: > 0 and <= 200 } text ? text : null;
        double? Number(string name) => double.TryParse(Text(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;
        return new()
        {
            Category = Text("category"),
            Action = Text("action"),
            Fate = SampleFates.Find(Text("fate")),
            MinScore = Number("min"),
            MaxScore = Number("max"),
            Review = Text("review") is "any" or "none" or "approve" or "reject" or "edit" ? Text("review") : null,
            Find = Text("find"),
        };
    }

    /// <summary>The filter as the query of an address, with further parameters; begins with '?' or is empty.</summary>
    public string ToQuery(params IEnumerable<(string Name, string Value)> more)
    {
        ArgumentNullException.ThrowIfNull(more);
        string? Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture);
        var query = new QueryBuilder();
        ReadOnlySpan<(string, string?)> parts =
        [
            ("category", Category), ("action", Action), ("fate", Fate?.Key()), ("min", Number(MinScore)), ("max", Number(MaxScore)), ("review", Review), ("find", Find),
        ];
        foreach (var (name, value) in parts)
            if (value is not null) query.Add(name, value);
        foreach (var (name, value) in more) query.Add(name, value);
        return query.ToString();
    }

    internal bool Takes(SampleEntry entry) =>
        (Category is null || (entry.Category ?? None) == Category)
        && (Action is null || (entry.Action ?? None) == Action)
        && (Fate is null || entry.Fate == Fate)
        && (MinScore is null || entry.Score >= MinScore)
        && (MaxScore is null || entry.Score <= MaxScore)
        && (Review switch { null => true, "none" => entry.Review is null, "any" => entry.Review is not null, var decision => entry.Review is { } review && Word(review.Decision) == decision })
        && (Find is null || entry.Request.Contains(Find, StringComparison.OrdinalIgnoreCase));

    private static string Word(ReviewDecision decision) => decision switch { ReviewDecision.Approve => "approve", ReviewDecision.Edit => "edit", _ => "reject" };
}
