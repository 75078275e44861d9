namespace Deliberate.Serving;

/// <summary>
/// A model gave no answer. What it or its server said is not repeated, and the cause is not kept: both may quote the thought. The audit log has them.
/// </summary>
/// <param name="kind">What kind of failure it was, in a word or two.</param>
public sealed class ModelFailedException(string kind) : Exception($"The model gave no answer ({kind}).")
{
    /// <summary>The kind of a failure of the audit log: without a record there is no answer.</summary>
    public const string AuditLog = "the audit log cannot be written";

    /// <summary>What kind of failure it was, without anything that the model wrote.</summary>
    public string Kind { get; } = kind;
}
