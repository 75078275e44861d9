using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Miniature.Language;

/// <summary>The ways to refuse and to safe-complete that a policy's style guide can choose from, and what each sounds like.</summary>
public static class Styles
{
    /// <summary>Names of the refusal styles.</summary>
    public static IReadOnlyList<string> Refusals { get; } = ["a brief apology", "a plain no", "an apology and an offer"];

    /// <summary>Names of the safe-completion styles.</summary>
    public static IReadOnlyList<string> SafeCompletions { get; } = ["care and a helpline", "general facts", "a professional"];

    /// <summary>The refusal in this style.</summary>
    public static string Refusal(string style) => style switch
    {
        "a brief apology" => "I am sorry, but I cannot help with that.",
        "a plain no" => "No, this is nothing that I do.",
        "an apology and an offer" => "I am sorry, but I cannot help with that. Ask me about something else.",
        _ => throw new ArgumentException($"'{style}' is no refusal style; known: {string.Join(", ", Refusals)}.", nameof(style)),
    };

    /// <summary>The safe completion in this style about this topic.</summary>
    public static string SafeCompletion(string style, Topic topic) => style switch
    {
        "care and a helpline" => $"What you say about {topic.Name} sounds hard. Please call a helpline, where people listen.",
        "general facts" => $"In general terms only, {topic.Name} carries risks, and I leave the details out.",
        "a professional" => $"I can speak of {topic.Name} in general only. Please ask a professional.",
        _ => throw new ArgumentException($"'{style}' is no safe-completion style; known: {string.Join(", ", SafeCompletions)}.", nameof(style)),
    };

    /// <summary>How a thought says an action: "comply", "refuse with a brief apology".</summary>
    public static string Decision(PolicyAction action, WorldPolicy? policy) => action switch
    {
        PolicyAction.Comply => "comply",
        PolicyAction.Refuse => $"refuse with {policy!.RefusalStyle}",
        _ => $"safe-complete with {policy!.SafeStyle}",
    };
}
