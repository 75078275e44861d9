using System.Globalization;
using System.Text.Json;
using Deliberate.Conversations;

namespace Deliberate.Judging;

/// <summary>Something in a response that may be a verdict.</summary>
/// <param name="Value">What it says, from 0 to 1; null when it cannot be read.</param>
/// <param name="Raw">The words it stands in.</param>
/// <param name="Json">The object it was read from, if any.</param>
/// <param name="Problem">Why it has no value, as a verdict without score.</param>
internal sealed record VerdictClaim(double? Value, string Raw, JsonElement? Json = null, Verdict? Problem = null);

/// <summary>How one kind of judge writes its verdict, as JSON and in words.</summary>
internal abstract class VerdictGrammar
{
    /// <summary>The claim that an object makes; null when it is no verdict at all.</summary>
    public abstract VerdictClaim? Of(JsonElement json, string raw);

    /// <summary>All claims that stand in plain words.</summary>
    public abstract IEnumerable<VerdictClaim> Of(string text);

    /// <summary>
    /// Finds the judge's own verdict. One with the code of the prompt is the judge's: nobody who wrote the judged text can know it. Without a
    /// code, whatever also stands in the judged text is taken for an echo, and exactly one claim must remain.
    /// </summary>
    /// <param name="response">The response.</param>
    /// <param name="code">The code, or null when the prompt had none.</param>
    /// <param name="judged">The texts under judgement.</param>
    /// <returns>The claim, or why there is none.</returns>
    public (VerdictClaim? Claim, Verdict? Unscored) Pick(string response, string? code = null, IReadOnlyList<string>? judged = null)
    {
        var objects = Objects(response);
        if (code is not null)
        {
            var coded = objects.Where(claim => code.Equals(Text(claim.Json!.Value, "code")?.Trim(), StringComparison.OrdinalIgnoreCase)).ToArray();
            if (coded.Length > 0) return coded.All(claim => claim.Value == coded[0].Value) ? Checked(coded[^1]) : (null, Unparsable("more than one verdict in the response"));
        }

        var echo = Echo(judged ?? []);
        var own = objects.Where(claim => !echo(claim)).ToArray();
        var worded = own.Length > 0 ? [] : Of(response).ToArray();
        if (own.Length == 0) own = [.. worded.Where(claim => !echo(claim))];
        return own.Length switch
        {
            1 => Checked(own[0]),
            > 1 => (null, Unparsable("more than one verdict in the response")),
            _ => (null, Unparsable(objects.Count + worded.Length == 0 ? "no verdict in the response" : "the only verdict in the response also stands in the judged text")),
        };
    }

    /// <summary>The text of a property, whatever its case; null when it has none.</summary>
    public static string? Text(JsonElement json, string name) => Property(json, name) is { } value ? JsonInText.Text(value) : null;

    /// <summary>A property, whatever its case; null when there is none.</summary>
    public static JsonElement? Property(JsonElement json, string name)
    {
        foreach (var property in json.EnumerateObject())
            if (JsonInText.Name(property).Equals(name, StringComparison.OrdinalIgnoreCase)) return property.Value;
        return null;
    }

    /// <summary>A number, also one written as a text ("8", "8/10"): its value and what it is out of; null when it is none.</summary>
    public static (double Value, double? Of)? Number(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Number) return json.TryGetDouble(out var number) ? (number, null) : null;
        var parts = JsonInText.Text(json)?.Split('/');
        if (parts is null or { Length: > 2 } || !Parse(parts[0], out var value)) return null;
        return parts.Length == 1 ? (value, null) : Parse(parts[1], out var of) ? (value, of) : null;
    }

    protected static Verdict Unparsable(string reason) => Verdict.Unscored(VerdictKinds.Unparsable, reason);

    private static (VerdictClaim?, Verdict?) Checked(VerdictClaim claim) => claim.Problem is null ? (claim, null) : (null, claim.Problem);

    private static bool Parse(string text, out double value) =>
        double.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private List<VerdictClaim> Objects(string text)
    {
        var found = new List<VerdictClaim>();
        foreach (var json in JsonInText.Objects(text))
            if (Of(json, json.GetRawText()) is { } claim) found.Add(claim);
        return found;
    }

    // Whether a claim also stands in the judged text: in the same words, or with the same value in others.
    private Func<VerdictClaim, bool> Echo(IReadOnlyList<string> judged)
    {
        if (judged.Count == 0) return _ => false;
        var letters = judged.Select(FoldedText.Letters).ToArray();
        var values = judged.SelectMany(text => (string[])[text, FoldedText.Fold(text)])
            .SelectMany(text => Objects(text).Concat(Of(text))).Select(claim => claim.Value).OfType<double>().ToHashSet();
        return claim => (claim.Value is { } value && values.Contains(value))
            || (FoldedText.Letters(claim.Raw) is { Length: > 2 } words && letters.Any(text => text.Contains(words, StringComparison.Ordinal)));
    }
}
