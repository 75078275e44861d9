using System.CommandLine;
using System.Globalization;
using Deliberate.Cli.Interaction;
using Deliberate.Policies;

namespace Deliberate.Cli.Commands;

/// <summary><c>policy import</c>: makes a policy of a document that others wrote.</summary>
internal sealed class PolicyImportCommand : Command
{
    private readonly Argument<string> _file = new("FILE") { Description = "The document: a policy for gpt-oss-safeguard, or the OpenAI Model Spec." };
    private readonly Argument<string> _folder = new("OUT") { Description = "The policy's folder; new or empty." };
    private readonly Option<string[]> _under = new("--under") { HelpName = "ANCHOR", Description = "Of a Model Spec, take the sections with this anchor or below it alone. May be given several times.", Arity = ArgumentArity.OneOrMore };
    private readonly Terminal _terminal;

    public PolicyImportCommand(Terminal terminal) : base("import", "Make a policy of a document that others wrote, and print what could not be taken as FILE:LINE: warning: message.")
    {
        _terminal = terminal;
        Arguments.Add(_file);
        Arguments.Add(_folder);
        Options.Add(_under);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        var folder = parse.GetRequiredValue(_folder);
        var imported = PolicyImport.Read(parse.GetRequiredValue(_file), parse.GetValue(_under) ?? []);
        imported.Write(folder);
        foreach (var finding in imported.Unmapped) _terminal.Results.WriteLine(finding);
        _terminal.Note(string.Create(CultureInfo.InvariantCulture,
            $"{folder}: {imported.Policy.Categories.Count} categories, {imported.Policy.Clauses.Count()} clauses; {imported.Unmapped.Count} parts of the document are not in it. Actions were told by the document's words: look them over, then run 'deliberate policy check {folder}'."));
        return ExitCodes.Success;
    }
}
