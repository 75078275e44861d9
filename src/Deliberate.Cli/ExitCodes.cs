namespace Deliberate.Cli;

/// <summary>What the process says to its caller.</summary>
internal static class ExitCodes
{
    /// <summary>All done.</summary>
    public const int Success = 0;

    /// <summary>The work failed, or a check found errors.</summary>
    public const int Failure = 1;

    /// <summary>The command line or what it names (policy, model, folder) is wrong.</summary>
    public const int BadInput = 2;

    /// <summary>Stopped by Ctrl-C or a request to terminate.</summary>
    public const int Cancelled = 130;
}
