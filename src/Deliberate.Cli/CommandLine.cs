using System.CommandLine.Parsing;

namespace Deliberate.Cli;

/// <summary>Command lines as text.</summary>
internal static class CommandLine
{
    /// <summary>The command line as one would type it, with words quoted where a shell would cut them.</summary>
    public static string Text(IEnumerable<string> args) => string.Join(' ', args.Select(Quoted).Prepend("deliberate"));

    /// <summary>"deliberate policy show": the names of a command and its parents.</summary>
    public static string Path(CommandResult result)
    {
        var path = result.Command.Name;
        for (var parent = result.Parent as CommandResult; parent is not null; parent = parent.Parent as CommandResult) path = $"{parent.Command.Name} {path}";
        return path;
    }

    private static string Quoted(string word) =>
        word.Length > 0 && word.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '+' or '/' or '.' or ',' or ':' or '=' or '@' or '\\')
            ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
