namespace Deliberate.Server.Report;

/// <summary>The kinds of answers that the judge is tried on, and their names for people.</summary>
internal static class JudgeErrorType
{
    private static readonly (string Name, string Title)[] Known =
    [
        ("wrong_action", "Wrong action"), ("wrong_style", "Wrong style"), ("off_topic", "Off topic"),
        ("wrong_act", "Wrong act"), ("blended", "Blended"), ("unclear", "Unclear"), ("good", "Good answer rejected"),
    ];

    /// <summary>"Wrong action"; a type that is not known keeps its name.</summary>
    public static string Title(string name) => Known.FirstOrDefault(known => known.Name == name).Title ?? name.Replace('_', ' ');

    /// <summary>The types that occur in any of these tables, the known ones first.</summary>
    public static IReadOnlyList<string> In(IEnumerable<IEnumerable<string>> tables)
    {
        var names = tables.SelectMany(table => table).Distinct().Order(StringComparer.Ordinal).ToArray();
        return [.. Known.Select(known => known.Name).Where(names.Contains), .. names.Where(name => Known.All(known => known.Name != name))];
    }
}
