using System.CommandLine;

namespace Deliberate.Cli.Commands;

/// <summary><c>audit</c>: look after audit logs.</summary>
internal sealed class AuditCommand : Command
{
    public AuditCommand(Interaction.Terminal terminal) : base("audit", "Check the audit log of a server.") => Add(new AuditVerifyCommand(terminal));
}
