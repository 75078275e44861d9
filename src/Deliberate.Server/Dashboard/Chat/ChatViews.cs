namespace Deliberate.Server.Dashboard.Chat;

/// <summary>What a model said, as a caller may see it.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Answer">The answer; empty when there is none.</param>
/// <param name="Thought">The thought; null when the model's server kept it to itself, so that nothing is known of it here.</param>
/// <param name="Problem">Why there is no answer; null when there is one.</param>
public sealed record ChatReply(string Model, string Answer, ThoughtView? Thought, string? Problem = null);

/// <summary>One turn of a conversation with two models. Earlier thoughts are no part of it.</summary>
/// <param name="User">What was asked.</param>
/// <param name="First">What the first model answered.</param>
/// <param name="Second">What the second model answered; empty when there is none.</param>
public sealed record ChatExchange(string User, string First, string Second);
