namespace Deliberate.Policies;

/// <summary>Keeps account of every line of a text that is imported: it was taken, or it is listed with the reason why not. Not thread-safe.</summary>
internal sealed class ImportLedger(string file, IReadOnlyList<string> lines)
{
    private readonly bool[] _seen = [.. lines.Select(string.IsNullOrWhiteSpace)];
    private readonly List<(int First, int Last, string Why)> _unmapped = [];

    /// <summary>The file.</summary>
    public string File => file;

    /// <summary>The text's lines.</summary>
    public IReadOnlyList<string> Lines => lines;

    /// <summary>These lines were taken; from 1.</summary>
    public void Take(int first, int last)
    {
        for (var line = first; line <= last; line++) _seen[line - 1] = true;
    }

    /// <summary>These lines, or part of them, were not taken.</summary>
    public void Unmapped(int first, int last, string why)
    {
        Take(first, last);
        _unmapped.Add((first, last, why));
    }

    /// <summary>All that was not taken, by line.</summary>
    public IReadOnlyList<PolicyFinding> Findings()
    {
        for (var line = 1; line <= lines.Count; line++)
            if (!_seen[line - 1]) Unmapped(line, line, "no rule was found in it");
        var ranges = new List<(int First, int Last, string Why)>();
        foreach (var entry in _unmapped.OrderBy(entry => entry.First))
            if (ranges is [.., var before] && before.Why == entry.Why && Blank(before.Last + 1, entry.First - 1)) ranges[^1] = before with { Last = Math.Max(before.Last, entry.Last) };
            else ranges.Add(entry);
        return [.. ranges.Select(entry => new PolicyFinding(PolicySeverity.Warning, file, entry.First,
            $"not imported: {(entry.Last > entry.First ? $"lines {entry.First} to {entry.Last}, from " : "")}'{Short(lines[entry.First - 1])}': {entry.Why}"))];
    }

    private bool Blank(int first, int last) => Enumerable.Range(first, Math.Max(0, last - first + 1)).All(line => string.IsNullOrWhiteSpace(lines[line - 1]));

    private static string Short(string text)
    {
        var line = ImportDraft.Line(text);
        return line.Length <= 50 ? line : line[..50] + "…";
    }
}
