namespace Deliberate.Prompts;

/// <summary>What a prompt has in common with a prompt of an evaluation set.</summary>
/// <param name="File">The evaluation file.</param>
/// <param name="Id">The id of the evaluation prompt.</param>
/// <param name="Words">Words of the longest run that both have.</param>
/// <param name="Overlap">Share of the prompt's words that lie in such runs, from 0 to 1.</param>
/// <param name="Similarity">The Jaccard index when it was found as almost the same; 0 when it was found by words.</param>
public sealed record Contamination(string File, string Id, int Words, double Overlap, double Similarity = 0);
