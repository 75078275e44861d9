namespace Deliberate.Policies;

/// <summary>How much a finding matters.</summary>
public enum PolicySeverity
{
    /// <summary>Worth a look.</summary>
    Hint,

    /// <summary>The policy works, and readers or models may misread it here.</summary>
    Warning,

    /// <summary>The policy does not load, contradicts itself or does not fit.</summary>
    Error,
}

/// <summary>Something that a check of a policy found.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="File">The file, with the policy's folder before it.</param>
/// <param name="Line">The line, from 1; 0 when it is about the file as a whole.</param>
/// <param name="Message">What it is and how to mend it, in one line.</param>
public sealed record PolicyFinding(PolicySeverity Severity, string File, int Line, string Message)
{
    /// <summary>"FILE:LINE: warning: what is wrong".</summary>
    public override string ToString() => $"{PolicyException.Place(File, Line)}: {Severity.ToString().ToLowerInvariant()}: {Message}";
}
