namespace Deliberate.Endpoints.Flow;

/// <summary>A call that was not made, because it could have passed the budget. What came before it is paid for and kept.</summary>
/// <param name="message">What was spent, what the call could have taken, and the cap.</param>
public sealed class BudgetExceededException(string message) : EndpointException(FailureReason.BudgetReached, message);
