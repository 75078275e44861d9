using Deliberate.Cli.Interaction;
using Deliberate.Endpoints;
using Deliberate.Endpoints.Models;
using Deliberate.Pipeline;
using Deliberate.Policies;

namespace Deliberate.Cli;

/// <summary>Turns exceptions into one line and an exit code.</summary>
internal static class Failures
{
    /// <summary>Set to 1 to see where a failure comes from.</summary>
    public const string DebugVariable = "DELIBERATE_DEBUG";

    /// <summary>Writes the failure to the error stream.</summary>
    /// <returns>The exit code for it.</returns>
    public static int Tell(Terminal terminal, Exception exception)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        var cause = Cause(exception);
        var code = CodeOf(cause);
        terminal.Error(code is null
            ? $"unexpected {cause.GetType().Name}: {cause.Message} (set {DebugVariable}=1 to see where it comes from)"
            : Message(cause));
        if (Environment.GetEnvironmentVariable(DebugVariable) == "1") terminal.Notes.WriteLine(exception);
        return code ?? ExitCodes.Failure;
    }

    /// <summary>The exit code of a failure that a user can mend; null for one that nobody expected.</summary>
    public static int? CodeOf(Exception exception) => exception switch
    {
        AlignmentException or PolicyException or ModelSettingsException or InvalidDataException or FileNotFoundException or DirectoryNotFoundException or ArgumentException => ExitCodes.BadInput,
        EndpointException or IOException or UnauthorizedAccessException or OutOfMemoryException or PlatformNotSupportedException or DllNotFoundException => ExitCodes.Failure,
        _ => null,
    };

    private static Exception Cause(Exception exception) => exception switch
    {
        AggregateException { InnerExceptions.Count: 1 } or TypeInitializationException { InnerException: not null } => Cause(exception.InnerException!),
        _ => exception,
    };

    private static string Message(Exception exception)
    {
        if (exception is OutOfMemoryException) return "there is not enough memory.";
        var message = exception.Message;
        if (exception is ArgumentException { ParamName: { } name }) message = message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal);
        return message;
    }
}
