namespace Deliberate.Auditing;

/// <summary>Numbers for names that come again and again. Not thread-safe.</summary>
internal sealed class AuditNames
{
    /// <summary>The number of no name.</summary>
    public const int None = -1;

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    /// <summary>The names, in the order in which they were met.</summary>
    public IReadOnlyList<string> All => _names;

    /// <summary>The name of a number; null for <see cref="None"/>.</summary>
    public string? this[int number] => number == None ? null : _names[number];

    /// <summary>The number of a name, new or known.</summary>
    public int NumberOf(string? name)
    {
        if (name is null) return None;
        if (_numbers.TryGetValue(name, out var number)) return number;
        _names.Add(name);
        return _numbers[name] = _names.Count - 1;
    }
}
