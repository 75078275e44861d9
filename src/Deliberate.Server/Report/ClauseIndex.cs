using System.Globalization;
using Deliberate.Evaluation;
using Deliberate.Reports;

namespace Deliberate.Server.Report;

/// <summary>Where each clause stands, and the pieces of a text that cites clauses. Immutable.</summary>
public sealed class ClauseIndex
{
    private readonly Dictionary<string, (string Id, ReportClause Clause)> _byCode = [];
    private readonly string _page;

    /// <summary>An index of these clauses; of two with one code the first counts.</summary>
    /// <param name="clauses">The clauses.</param>
    /// <param name="page">Address of the page on which they stand; empty: the page that cites them.</param>
    public ClauseIndex(IReadOnlyList<ReportClause> clauses, string page = "")
    {
        ArgumentNullException.ThrowIfNull(clauses);
        _page = page;
        for (var i = 0; i < clauses.Count; i++) _byCode.TryAdd(clauses[i].Code, (IdOf(i, clauses[i].Code), clauses[i]));
    }

    /// <summary>Whether it has no clauses, as where the policy is not known: then no code can be said not to exist.</summary>
    public bool IsEmpty => _byCode.Count == 0;

    /// <summary>The id of the clause with this code on the page, or null.</summary>
    public string? Id(string? code) => code is not null && _byCode.TryGetValue(code, out var found) ? found.Id : null;

    /// <summary>The address of the clause with this code, or null.</summary>
    public string? Href(string? code) => Id(code) is { } id ? $"{_page}#{id}" : null;

    /// <summary>The clause with this code, or null.</summary>
    public ReportClause? Clause(string? code) => code is not null && _byCode.TryGetValue(code, out var found) ? found.Clause : null;

    /// <summary>Cuts a text into plain pieces and cited codes, in order; together they are the whole text.</summary>
    public static IReadOnlyList<(string Text, bool IsCode)> Pieces(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var pieces = new List<(string, bool)>();
        var at = 0;
        foreach (var (start, code) in ClauseCitations.Locate(text))
        {
            if (start > at) pieces.Add((text[at..start], false));
            pieces.Add((code, true));
            at = start + code.Length;
        }

        if (at < text.Length) pieces.Add((text[at..], false));
        return pieces;
    }

    // Codes come from a policy: only plain ones become part of an id.
    private static string IdOf(int index, string code) =>
        code.Length is > 0 and <= 12 && code.All(char.IsAsciiLetterOrDigit) ? "clause-" + code : string.Create(CultureInfo.InvariantCulture, $"clause-number-{index + 1}");
}
