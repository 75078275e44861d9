namespace Deliberate.Pipeline;

/// <summary>Longest texts of the miniature, in tokens.</summary>
internal static class Limits
{
    /// <summary>A thought and an answer.</summary>
    public const int CompletionTokens = 160;

    /// <summary>A request, a thought and an answer, where the whole policy stands in the prompt.</summary>
    public const int BesideThePolicy = 150;

    /// <summary>A judge's thought and verdict.</summary>
    public const int VerdictTokens = 200;
}
