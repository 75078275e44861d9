using Spectre.Console;

namespace Deliberate.Cli.Interaction;

/// <summary>
/// The streams of a command. Results go to <see cref="Results"/> (standard output), everything said on the way to
/// <see cref="Notes"/> (standard error), so that output can be piped.
/// </summary>
/// <remarks>Writing lines is thread-safe when the writers are, as the console's are.</remarks>
internal sealed class Terminal(TextReader input, TextWriter results, TextWriter notes)
{
    private const int WidthOfFiles = 240;

    /// <summary>Where a person's words come from.</summary>
    public TextReader Input { get; } = input;

    /// <summary>What the command was asked for.</summary>
    public TextWriter Results { get; } = results;

    /// <summary>Progress, hints and errors.</summary>
    public TextWriter Notes { get; } = notes;

    /// <summary>Whether a person types the input.</summary>
    public bool InputTyped { get; init; }

    /// <summary>Whether results go to a terminal that shows colours.</summary>
    public bool ResultsStyled { get; init; }

    /// <summary>Whether notes go to a terminal that shows colours and can be redrawn.</summary>
    public bool NotesStyled { get; init; }

    /// <summary>Columns of the terminal.</summary>
    public int Width { get; init; } = 100;

    /// <summary>The process's own streams: plain where they are redirected, when NO_COLOR is set, and on a dumb terminal.</summary>
    public static Terminal OfConsole()
    {
        var plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Environment.GetEnvironmentVariable("TERM") == "dumb";
        return new Terminal(Console.In, Console.Out, Console.Error)
        {
            InputTyped = !Console.IsInputRedirected,
            ResultsStyled = !plain && !Console.IsOutputRedirected,
            NotesStyled = !plain && !Console.IsErrorRedirected,
            Width = WidthOf(),
        };
    }

    /// <summary>A console for tables over the results.</summary>
    public IAnsiConsole ResultsConsole() => ConsoleOver(Results, ResultsStyled);

    /// <summary>A console for live progress over the notes.</summary>
    public IAnsiConsole NotesConsole() => ConsoleOver(Notes, NotesStyled);

    /// <summary>Writes one line of a message to the notes.</summary>
    public void Note(string message) => Notes.WriteLine(OneLine(message));

    /// <summary>Writes "error: …" as one line to the notes.</summary>
    public void Error(string message) => Notes.WriteLine(NotesStyled ? $"\e[1;31merror:\e[0m {OneLine(message)}" : $"error: {OneLine(message)}");

    private IAnsiConsole ConsoleOver(TextWriter writer, bool styled)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = styled ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = styled ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = styled ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = styled ? Width : WidthOfFiles;
        return console;
    }

    private static int WidthOf()
    {
        try
        {
            return Console.WindowWidth is > 20 and var width ? width : 100;
        }
        catch (Exception problem) when (problem is IOException or PlatformNotSupportedException)
        {
            return 100;
        }
    }

    private static string OneLine(string message) =>
        string.Join(' ', message.Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
