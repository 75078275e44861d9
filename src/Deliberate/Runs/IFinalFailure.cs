namespace Deliberate.Runs;

/// <summary>An exception of a call that knows whether it is about this call alone.</summary>
public interface IFinalFailure
{
    /// <summary>True when every other call will fail for the same reason (a refused key, a budget that is used up), so that the work had better end: such a failure is not noted against the call.</summary>
    bool EndsRun { get; }
}
