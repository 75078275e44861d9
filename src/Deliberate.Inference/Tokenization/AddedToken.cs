namespace Deliberate.Inference.Tokenization;

/// <summary>A token that is matched as a whole before the text is split.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text.</param>
/// <param name="Special">Whether it is a control token, which text from outside can never produce.</param>
public sealed record AddedToken(int Id, string Text, bool Special)
{
    /// <summary>Whether it is found between word boundaries only.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Whether white space before it belongs to it.</summary>
    public bool LeftStrip { get; init; }

    /// <summary>Whether white space after it belongs to it.</summary>
    public bool RightStrip { get; init; }

    /// <summary>Whether it is looked for in the normalized text, in its own normalized form.</summary>
    public bool Normalized { get; init; }

    /// <summary>
    /// Whether it steers a model: it is <see cref="Special"/>, or it is written as a mark in angle or square brackets. Many
    /// models do not call all their marks special, such as <c>&lt;think&gt;</c> or the names of roles.
    /// </summary>
    public bool Control => Special || (Text.Length > 2 && (Text[0], Text[^1]) is ('<', '>') or ('[', ']'));
}
