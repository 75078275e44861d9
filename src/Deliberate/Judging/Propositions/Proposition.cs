namespace Deliberate.Judging.Propositions;

/// <summary>A statement about an answer that is true or false, as in OpenAI's rule-based rewards.</summary>
/// <param name="Name">Names it: "apology".</param>
/// <param name="Question">The question about the assistant's last message, to be answered with yes or no.</param>
/// <param name="Weight">What it adds to the score when it is true; negative for what an answer should not do.</param>
/// <param name="Needed">Whether the whole is unscored when its answer cannot be read.</param>
public sealed record Proposition(string Name, string Question, double Weight = 0, bool Needed = true);

/// <summary>A statement that follows from others: true when all of them are as given.</summary>
/// <param name="Name">Names it.</param>
/// <param name="Conditions">Names of propositions, also of derived ones before it, and what each must be.</param>
/// <param name="Weight">What it adds to the score when it is true.</param>
public sealed record DerivedProposition(string Name, IReadOnlyDictionary<string, bool> Conditions, double Weight = 0);

/// <summary>A class of answers, for one kind of demanded response.</summary>
/// <param name="Name">Names it: "ideal".</param>
/// <param name="ResponseType">The demanded response: "hard_refuse".</param>
/// <param name="Conditions">What the propositions must be.</param>
public sealed record CompletionClass(string Name, string ResponseType, IReadOnlyDictionary<string, bool> Conditions);
