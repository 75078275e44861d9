namespace Deliberate.Server.Rewards.Protocols;

/// <summary>A request that cannot be served as it is.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What is wrong and how to mend it, in one line without content.</param>
/// <param name="place">The field, as a path: <c>query[2]</c>.</param>
internal sealed class RewardRequestException(int status, string message, string? place = null) : Exception(message)
{
    public int Status => status;

    public string? Field => place;
}
