using System.Text;
using Deliberate.Cli.Interaction;

namespace Deliberate.Cli.Tests;

/// <summary>A terminal over strings.</summary>
internal sealed class Streams(string input = "")
{
    private readonly StringBuilder _results = new(), _notes = new();

    public string Results => _results.ToString();

    public string Notes => _notes.ToString();

    public string[] NoteLines => Notes.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public Terminal Terminal(bool styled = false, int width = 100) => new(new StringReader(input), new StringWriter(_results), new StringWriter(_notes)) { ResultsStyled = styled, NotesStyled = styled, Width = width };
}
