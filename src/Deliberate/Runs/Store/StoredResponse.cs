using Microsoft.Extensions.AI;

namespace Deliberate.Runs.Store;

/// <summary>Names a response by all that decides it: request, seed, sample index, model and template version.</summary>
/// <param name="Text">A SHA-256 as 64 lower-case hex digits.</param>
public readonly record struct ResponseKey(string Text)
{
    /// <inheritdoc/>
    public override string ToString() => Text;

    internal byte[] ToBytes() => Convert.FromHexString(Text);
}

/// <summary>What a response is used for. One response may have many uses, in one run and in several.</summary>
/// <param name="Run">The run's name.</param>
/// <param name="Stage">The stage.</param>
/// <param name="PromptId">The prompt or item; empty when it has no id.</param>
/// <param name="PolicyHash">Hash of the policy in the request, or null.</param>
/// <param name="Category">The category whose clauses were in the request, or null.</param>
public sealed record ResponseUse(string Run, string Stage, string PromptId = "", string? PolicyHash = null, string? Category = null);

/// <summary>A response that was received and is now to be kept.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Request">What was asked.</param>
/// <param name="Model">The model's name or fingerprint.</param>
/// <param name="Details">What the call was about.</param>
/// <param name="Use">What it is used for; its run is the one that paid.</param>
/// <param name="Response">What came back.</param>
/// <param name="Cost">What it cost, in dollars; null when unknown.</param>
public sealed record ReceivedResponse(
    ResponseKey Key, CanonicalRequest Request, string Model, CallDetails Details, ResponseUse Use, ChatResponse Response, decimal? Cost = null);

/// <summary>A call that failed for good, after all retries.</summary>
/// <param name="Key">The key that its response would have had.</param>
/// <param name="Run">The run that made the last attempt.</param>
/// <param name="Stage">Its stage.</param>
/// <param name="PromptId">Its prompt or item; empty when it has no id.</param>
/// <param name="SampleIndex">Its sample index.</param>
/// <param name="Model">The model that was asked.</param>
/// <param name="Reason">What went wrong the last time, in one line.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="First">When it failed first.</param>
/// <param name="Last">When it failed last.</param>
public sealed record StoredFailure(
    ResponseKey Key, string Run, string Stage, string PromptId, int SampleIndex, string Model, string Reason, int Attempts, DateTimeOffset First, DateTimeOffset Last);
