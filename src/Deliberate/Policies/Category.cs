using System.Diagnostics.CodeAnalysis;

namespace Deliberate.Policies;

/// <summary>How to refuse or to safe-complete.</summary>
/// <param name="Name">The style's name, "a brief apology"; empty when the policy gives none.</param>
/// <param name="Text">The guidelines, as Markdown; empty when the policy gives none.</param>
public sealed record StyleGuide(string Name, string Text);

/// <summary>What a word means in a category.</summary>
/// <param name="Name">The word.</param>
/// <param name="Meaning">What it means.</param>
/// <param name="Line">The line it begins at, from 1.</param>
public sealed record Term(string Name, string Meaning, int Line);

/// <summary>One field that a policy rules: one file of its folder. Immutable.</summary>
/// <param name="Id">The file's name without its extension.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Summary">One paragraph that every specification shows; empty when there is none.</param>
/// <param name="Terms">The words it defines.</param>
/// <param name="Clauses">Its clauses, in the order of the file.</param>
/// <param name="File">The file's name within the policy's folder.</param>
public sealed record Category(string Id, string Title, string Summary, IReadOnlyList<Term> Terms, IReadOnlyList<Clause> Clauses, string File)
{
    /// <summary>
    /// A short text on the whole category that the specifications of other categories show instead of <see cref="Summary"/>; null when there is none. It
    /// is no part of the policy's files: <see cref="CategorySummaries"/> keeps it beside them.
    /// </summary>
    public string? Condensed { get; init; }
}

/// <summary>When a clause demands something else.</summary>
/// <param name="Condition">The condition in the policy's words: "the user is a nurse", "a stated professional".</param>
/// <param name="Action">What is demanded then.</param>
/// <param name="Otherwise">
/// False for "Unless CONDITION: ACTION." True for "only for CONDITION, else ACTION": the action is then demanded where the condition does <em>not</em> hold.
/// </param>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "Policies call it an exception.")]
public sealed record ClauseException(string Condition, PolicyAction Action, bool Otherwise = false);

/// <summary>One rule with a code to cite it by. Immutable.</summary>
/// <param name="Code">Its code: "T3".</param>
/// <param name="Action">What it demands, by the section it stands in.</param>
/// <param name="Subject">What it is about, by its lead: the words before the first colon, or else its first sentence.</param>
/// <param name="Text">The whole clause as written, in one line, without its code.</param>
/// <param name="Exception">When it demands something else, or null.</param>
/// <param name="File">The file's name within the policy's folder.</param>
/// <param name="Line">The line it begins at, from 1.</param>
public sealed record Clause(string Code, PolicyAction Action, string Subject, string Text, ClauseException? Exception, string File, int Line)
{
    /// <summary>The text without the exception: what holds in general.</summary>
    public string Rule => ClauseText.Read(Text).Rest;

    /// <summary>Requests that it covers.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Requests that it does not cover, though one might think so.</summary>
    public IReadOnlyList<string> Exclusions { get; init; } = [];

    /// <summary>Where it was taken from: "model_spec.md#avoid_abuse"; null when the policy does not say. Specifications do not show it.</summary>
    public string? Source { get; init; }
}
