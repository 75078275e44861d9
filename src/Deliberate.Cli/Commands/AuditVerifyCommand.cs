using System.CommandLine;
using System.Globalization;
using Deliberate.Auditing;
using Deliberate.Cli.Interaction;

namespace Deliberate.Cli.Commands;

/// <summary><c>audit verify</c>: check the chain of an audit log.</summary>
internal sealed class AuditVerifyCommand : Command
{
    private readonly Argument<string> _folder = new("FOLDER") { Description = "The log's folder, such as serving/audit." };
    private readonly Option<string> _expect = new("--expect") { HelpName = "HASH", Description = "A hash that was noted earlier and must be that of a record: shows that the end was not cut off since." };
    private readonly Terminal _terminal;

    public AuditVerifyCommand(Terminal terminal) : base("verify", "Check that no record of an audit log was changed, removed or added, and name the first that was.")
    {
        _terminal = terminal;
        Arguments.Add(_folder);
        Options.Add(_expect);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        var folder = parse.GetRequiredValue(_folder);
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"{folder}: there is no such folder.");
        var found = AuditVerification.Of(folder, parse.GetValue(_expect));
        if (!found.Holds)
        {
            _terminal.Error(found.Problem!);
            return ExitCodes.Failure;
        }

        if (found.Torn) _terminal.Note("the last record is not whole: the server is writing it, or was cut off; it was never acknowledged.");
        _terminal.Results.WriteLine(found.Records == 0 ? "the chain holds: no records" : string.Create(CultureInfo.InvariantCulture,
            $"the chain holds: {found.Records} records, {found.First} to {found.Last}; {found.Redacted} with content taken out; {found.First - 1} deleted before them"));
        if (found.Records > 0) _terminal.Results.WriteLine($"last hash: {found.LastHash}");
        return ExitCodes.Success;
    }
}
