using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;

namespace Deliberate.Distillation.Reviews;

/// <summary>
/// A run's data after its reviews: what reviewers rejected is out, what they approved or wrote anew is in. What comes in goes through the distiller once more, so
/// that a reviewer's words cannot carry the specification into a training example either.
/// </summary>
/// <param name="Kept">The training examples: those of the run in their order, then those that reviewers brought in.</param>
/// <param name="Rejected">All others, with the reviewer's reason where a reviewer decided.</param>
/// <param name="Applied">The reviews that count, one a sample, oldest first.</param>
/// <param name="Refused">Reviews that would have brought in what may not be trained on, with the reason.</param>
public sealed record ReviewedData(
    IReadOnlyList<TrainingExample> Kept, IReadOnlyList<RejectedSample> Rejected, IReadOnlyList<SampleReview> Applied, IReadOnlyList<(SampleReview Review, string Reason)> Refused)
{
    private static readonly FormatFilter Form = new();

    /// <summary>Applies reviews to a run's data.</summary>
    /// <param name="kept">The run's training examples.</param>
    /// <param name="rejected">Its other samples.</param>
    /// <param name="reviews">All reviews; the last of each sample counts. Those of unknown samples are left out.</param>
    /// <param name="spec">The specification of a category, to check what comes in; null when the policy is not at hand.</param>
    /// <exception cref="InvalidDataException">A review brings something in, and <paramref name="spec"/> is null or of another policy.</exception>
    public static ReviewedData Apply(
        IReadOnlyList<TrainingExample> kept, IReadOnlyList<RejectedSample> rejected, IEnumerable<SampleReview> reviews, Func<string?, Spec>? spec)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(rejected);
        var latest = ReviewFile.Latest(reviews);
        var (applied, refused) = (new List<SampleReview>(), new List<(SampleReview, string)>());
        var (examples, others) = (new List<TrainingExample>(), new List<RejectedSample>());
        foreach (var example in kept)
        {
            if (!latest.TryGetValue(example.Id, out var review) || review.Decision == ReviewDecision.Approve)
            {
                examples.Add(example);
                if (review is not null) applied.Add(review);
            }
            else if (review.Decision == ReviewDecision.Reject)
            {
                others.Add(new(SampleOf(example), ReasonOf(review), example.Action));
                applied.Add(review);
            }
            else if (Distilled(SampleOf(example), example.Action, review) is { } edited) examples.Add(edited);
            // The reviewer did not want it as it was.
            else others.Add(new(SampleOf(example), $"{ReasonOf(review)}; {refused[^1].Item2}", example.Action));
        }

        foreach (var sample in rejected)
        {
            if (!latest.TryGetValue(sample.Sample.Id, out var review)) others.Add(sample);
            else if (review.Decision == ReviewDecision.Reject)
            {
                others.Add(sample with { Reason = $"{sample.Reason}; {ReasonOf(review)}" });
                applied.Add(review);
            }
            else if (Distilled(sample.Sample, sample.Action, review) is { } approved) examples.Add(approved);
            else others.Add(sample);
        }

        return new(examples, others, [.. applied.OrderBy(review => review.At)], refused);

        TrainingExample? Distilled(Sample sample, string? action, SampleReview review)
        {
            if (spec is null) throw new InvalidDataException($"the review of '{sample.Id}' brings an example in, which is checked against the policy first: give it with --policy FOLDER.");
            var own = spec(sample.Provenance.Category);
            if (sample.Provenance.PolicyHash is { } hash && hash != own.PolicyHash) throw new InvalidDataException($"the policy has the hash {own.PolicyHash}, but '{sample.Id}', which a review brings in, was written under {hash}: give the policy of the run.");
            var (example, reason) = Check(sample, action, review, own);
            if (example is null) refused.Add((review, reason!));
            else applied.Add(review);
            return example;
        }
    }

    /// <summary>The specifications that a policy gives, each made once; for a category that is none of the policy's, such as a harmless subject, that without any category. Not thread-safe.</summary>
    public static Func<string?, Spec> SpecsOf(Policy policy, int tokenBudget = 4096)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var specs = new Dictionary<string, Spec>();
        return category =>
        {
            var known = string.IsNullOrEmpty(category) ? null : policy.FindCategory(category)?.Id;
            return specs.TryGetValue(known ?? "", out var spec) ? spec : specs[known ?? ""] = policy.Spec(known, tokenBudget);
        };
    }

    /// <summary>What a review that approves or edits makes of a sample: the training example, or why there can be none.</summary>
    /// <exception cref="ArgumentException">The review rejects.</exception>
    public static (TrainingExample? Example, string? Reason) Check(Sample sample, string? action, SampleReview review, Spec spec)
    {
        ArgumentNullException.ThrowIfNull(sample);
        ArgumentNullException.ThrowIfNull(review);
        if (review.Decision == ReviewDecision.Reject) throw new ArgumentException("A review that rejects makes no example.", nameof(review));
        var completion = review.Decision == ReviewDecision.Approve ? sample.Completion : new Completion(review.Thinking ?? sample.Completion.Thinking, review.Answer ?? sample.Completion.Answer);
        var reviewed = sample with { Completion = completion };
        var judged = new JudgedSample(reviewed, spec, new Judgement([new Verdict(1, ReasonOf(review))]), Form.Reason(completion, spec), action);
        var result = new Distiller(new()).Distill([judged]);
        return result.Kept is [var example] ? (example, null) : (null, result.Rejected[0].Reason);
    }

    private static string ReasonOf(SampleReview review)
    {
        var verb = review.Decision switch { ReviewDecision.Approve => "approved", ReviewDecision.Edit => "edited", _ => "rejected" };
        return string.Create(CultureInfo.InvariantCulture, $"{verb} by {review.By}, {review.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC") + (string.IsNullOrWhiteSpace(review.Note) ? "" : $": {review.Note}");
    }

    // The id of a sample is its prompt's, '#' and its index.
    private static Sample SampleOf(TrainingExample example)
    {
        var prompt = example.Id.LastIndexOf('#') is > 0 and var at ? example.Id[..at] : example.Id;
        var tags = new Dictionary<string, string>();
        if (example.Source is { } source) tags[TrainingExample.SourceTag] = source;
        if (example.Licence is { } licence) tags[TrainingExample.LicenceTag] = licence;
        return new(new(prompt, example.Conversation, example.Category, tags.Count == 0 ? null : tags), example.Provenance.SampleIndex, new(example.Thinking, example.Answer), example.Provenance);
    }
}
