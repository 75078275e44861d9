namespace Deliberate.Policies;

/// <summary>What a policy demands for a request: the paper's three actions (arXiv 2412.16339, section 2.2).</summary>
public enum PolicyAction
{
    /// <summary>Answer it.</summary>
    Comply,

    /// <summary>Refuse it in the policy's style.</summary>
    Refuse,

    /// <summary>Give safe help in the policy's style, not what was asked.</summary>
    SafeComplete,
}

/// <summary>The text form of actions.</summary>
public static class PolicyActions
{
    /// <summary>"comply", "refuse" or "safe-complete".</summary>
    public static string ToText(this PolicyAction action) => action switch
    {
        PolicyAction.Comply => "comply",
        PolicyAction.Refuse => "refuse",
        PolicyAction.SafeComplete => "safe-complete",
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, "No such action."),
    };
}
