namespace Deliberate.Pipeline;

/// <summary>A run cannot go on for a reason that its user can mend; the message says which in one line.</summary>
public sealed class AlignmentException(string message, Exception? inner = null) : Exception(message, inner);
