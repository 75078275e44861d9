namespace Deliberate.Server.Dashboard;

/// <summary>What every page needs to know.</summary>
/// <param name="Caller">Who looks at it.</param>
/// <param name="TokenName">Name of the form field that shows that a form is the dashboard's own.</param>
/// <param name="Token">Its value.</param>
/// <param name="Path">Path of the page.</param>
/// <param name="HasAudit">Whether there is an audit log to show.</param>
public sealed record PageContext(Caller Caller, string TokenName, string Token, string Path, bool HasAudit);
