using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Pipeline.Tests;

/// <summary>A small policy of the world, without any file.</summary>
internal static class Worlds
{
    public static WorldPolicy Small { get; } = new(
    [
        new("theft", "a story", "T1", PolicyAction.Comply),
        new("theft", "instructions", "T2", PolicyAction.Refuse, new("is a security guard", PolicyAction.SafeComplete)),
        new("theft", "support", "T3", PolicyAction.SafeComplete),
        new("self-harm", "asked in distress", "S1", PolicyAction.SafeComplete),
        new("self-harm", "instructions", "S2", PolicyAction.Refuse),
    ], "a brief apology", "care and a helpline");
}
