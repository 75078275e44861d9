namespace Deliberate.Cli.Interaction;

/// <summary>Names and values in two columns.</summary>
internal static class Facts
{
    /// <summary>Writes them to the results.</summary>
    public static void Write(Terminal terminal, IReadOnlyList<(string Name, string Value)> facts)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        var width = facts.Count == 0 ? 0 : facts.Max(fact => fact.Name.Length);
        foreach (var (name, value) in facts) terminal.Results.WriteLine($"{name.PadRight(width)}  {value}");
    }
}
