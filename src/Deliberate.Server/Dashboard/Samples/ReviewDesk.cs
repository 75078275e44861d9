using Deliberate.Distillation.Reviews;
using Deliberate.Server.Dashboard.Policies;
using Deliberate.Server.Dashboard.Runs;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Dashboard.Samples;

/// <summary>Takes decisions about samples and keeps them in the run's folder. Thread-safe.</summary>
internal sealed class ReviewDesk(RunPolicies policies, TimeProvider time)
{
    private const int MaxCharacters = 200_000;
    private readonly Lock _writing = new();

    /// <summary>Keeps a decision.</summary>
    /// <returns>Null when it is kept, else why not, in one line.</returns>
    public string? Decide(RunPlace run, Caller caller, IFormCollection form)
    {
        if (run.Samples.Find(form["sample"].ToString()) is not { } entry) return "This run has no such sample.";
        if (!Enum.TryParse<ReviewDecision>(form["decision"].ToString(), ignoreCase: true, out var decision) || !Enum.IsDefined(decision)) return "A decision is approve, reject or edit.";
        if (SampleReader.SampleOf(entry) is not { } sample) return "The run's file has changed: reload the page and try again.";
        string? Text(string name) => form[name].ToString().ReplaceLineEndings("\n").Trim() is { Length: > 0 and <= MaxCharacters } text ? text : null;
        var review = new SampleReview(entry.Id, decision, caller.Name, time.GetUtcNow(), Note: Text("note"));
        if (decision == ReviewDecision.Edit)
        {
            if (Text("answer") is not { } answer) return "An edit needs an answer.";
            // Who may not read the thought cannot have written it.
            review = review with { Answer = answer, Thinking = caller.MayReadThoughts ? Text("thinking") : null };
        }

        if (decision != ReviewDecision.Reject && entry.Fate != SampleFate.Kept | decision == ReviewDecision.Edit && Refusal(run, sample, entry, review, caller) is { } refusal) return refusal;
        try
        {
            lock (_writing) ReviewFile.Append(run.FolderPath, review);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return $"{ReviewFile.Name} could not be written: {problem.Message}";
        }

        return null;
    }

    // What would never be exported is not taken; without the policy at hand, the export is where that shows.
    private string? Refusal(RunPlace run, Generation.Sample sample, SampleEntry entry, SampleReview review, Caller caller)
    {
        if (policies.Find(run) is not { } policy) return null;
        var (example, reason) = ReviewedData.Check(sample, entry.Action, review, ReviewedData.SpecsOf(policy)(sample.Provenance.Category));
        if (example is not null) return null;
        // The distiller's words for a thought that points at its prompt quote the thought.
        var told = caller.MayReadThoughts || !reason!.StartsWith("leak: the thought", StringComparison.Ordinal) ? reason : "leak: the thought points at a text in its prompt";
        return $"It cannot be trained on as it is ({told}). Reject it, or edit it so that this is mended.";
    }
}
