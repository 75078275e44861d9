namespace Deliberate.Runs.Store;

/// <summary>A call was not made because it had failed earlier.</summary>
/// <param name="failure">How it failed.</param>
public sealed class KnownFailureException(StoredFailure failure)
    : Exception($"the call for '{failure?.PromptId}' in stage {failure?.Stage} failed earlier, {failure?.Attempts} times ({failure?.Reason}); ask for failed calls to be retried to make it again")
{
    /// <summary>How it failed.</summary>
    public StoredFailure Failure { get; } = failure ?? throw new ArgumentNullException(nameof(failure));
}
