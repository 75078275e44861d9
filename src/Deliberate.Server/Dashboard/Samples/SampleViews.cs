using Deliberate.Conversations;
using Deliberate.Distillation.Reviews;
using Deliberate.Judging;

namespace Deliberate.Server.Dashboard.Samples;

/// <summary>One run of the judge as a caller may see it.</summary>
/// <param name="Score">From 0 to 1; null: none.</param>
/// <param name="Kind">The kind of fault, or why there is no score.</param>
/// <param name="Reason">The judge's words; null for who may not read thoughts, which this judge had read and may quote.</param>
/// <param name="Criteria">Scores of single criteria.</param>
public sealed record VerdictView(double? Score, string? Kind, string? Reason, Criteria? Criteria);

/// <summary>A sample with all that came of it, as a caller may see it.</summary>
/// <param name="Id">Id of the sample.</param>
/// <param name="Prompt">Id of its prompt.</param>
/// <param name="Index">Its number among the samples of its prompt.</param>
/// <param name="Conversation">What was asked.</param>
/// <param name="Category">Category of the prompt; null: none.</param>
/// <param name="Action">What the answer does; null when unknown.</param>
/// <param name="Score">The lowest score; null: none.</param>
/// <param name="Fate">What became of it.</param>
/// <param name="Reason">Why it is not trained on; null when it is, or nothing is decided.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Truncated">Whether it was cut.</param>
/// <param name="Thought">The thought.</param>
/// <param name="Cited">Clause codes that the thought cites and that the policy has.</param>
/// <param name="Verdicts">What the judge said.</param>
/// <param name="Provenance">Where it comes from.</param>
/// <param name="Example">The conversation of the training example made of it; null: none was.</param>
/// <param name="Review">The last review; null: none.</param>
public sealed record SampleView(
    string Id, string Prompt, int Index, Conversation Conversation, string? Category, string? Action, double? Score, SampleFate Fate, string? Reason, string Answer, bool Truncated,
    ThoughtView Thought, IReadOnlyList<string> Cited, IReadOnlyList<VerdictView> Verdicts, Provenance Provenance, Conversation? Example, SampleReview? Review);

/// <summary>A value to filter by and how many samples have it.</summary>
/// <param name="Value">The value as links write it.</param>
/// <param name="Title">The value for people.</param>
/// <param name="Count">Samples that have it.</param>
public sealed record Facet(string Value, string Title, int Count);

/// <summary>One page of a list of samples.</summary>
/// <param name="Samples">The samples of the page.</param>
/// <param name="Page">Its number, from 1.</param>
/// <param name="Pages">Number of pages, at least 1.</param>
/// <param name="Matching">Samples that the filter takes.</param>
/// <param name="Total">Samples of the run.</param>
/// <param name="Categories">Categories of the run.</param>
/// <param name="Actions">Actions of the run.</param>
/// <param name="Fates">Fates of the run's samples.</param>
public sealed record SampleList(
    IReadOnlyList<SampleView> Samples, int Page, int Pages, int Matching, int Total, IReadOnlyList<Facet> Categories, IReadOnlyList<Facet> Actions, IReadOnlyList<Facet> Fates);
