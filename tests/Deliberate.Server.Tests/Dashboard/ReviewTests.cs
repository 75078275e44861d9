using System.Net;
using Deliberate.Distillation;
using Deliberate.Distillation.Reviews;
using Xunit;

namespace Deliberate.Server.Tests.Dashboard;

public sealed class ReviewTests : IDisposable
{
    private const string Reviews = "/dashboard/runs/made-1/reviews";
    private readonly MadeRuns _runs = new MadeRuns().World("made-1");

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Decisions_are_kept_with_who_and_when_and_the_run_stays_as_it_is()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        var before = Contents();
        var (kept, low) = (Kept()[0].Id, Rejected("scored ")[0].Sample.Id);
        using var rejected = await DecideAsync(visitor, kept, "reject", ("note", "not our tone"));
        using var approved = await DecideAsync(visitor, low, "approve");
        using var edited = await DecideAsync(visitor, Kept()[1].Id, "edit", ("answer", "An answer that is better."));
        Assert.All([rejected, approved, edited], response => Assert.Equal(HttpStatusCode.Redirect, response.StatusCode));
        var reviews = ReviewFile.Read(_runs.PathOf("made-1"));
        Assert.Equal([(kept, ReviewDecision.Reject), (low, ReviewDecision.Approve), (Kept()[1].Id, ReviewDecision.Edit)], reviews.Select(review => (review.Sample, review.Decision)));
        Assert.All(reviews, review => Assert.Equal("ada", review.By));
        Assert.All(reviews, review => Assert.InRange(review.At, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow));
        Assert.Equal("not our tone", reviews[0].Note);
        Assert.Equal(before, Contents());
        var page = Html.Text(await visitor.PageAsync("/dashboard/runs/made-1/samples?review=any"));
        Assert.Contains("3 of 32 samples", page, StringComparison.Ordinal);
        Assert.Contains("rejected by ada", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_queue_goes_on_with_what_is_not_reviewed()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        var seen = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var id = Html.Attribute(await visitor.PageAsync("/dashboard/runs/made-1/review"), "value").First(value => value.StartsWith("train-", StringComparison.Ordinal));
            seen.Add(id);
            using var response = await DecideAsync(visitor, id, "reject");
            Assert.Equal("/dashboard/runs/made-1/review", response.Headers.Location!.OriginalString);
        }

        Assert.Equal(3, seen.Distinct().Count());
        Assert.Contains("29 to look at, of 32", Html.Text(await visitor.PageAsync("/dashboard/runs/made-1/review")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_may_not_be_trained_on_is_not_taken_and_the_reason_quotes_no_thought()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        using var malformed = await DecideAsync(visitor, Rejected("format: ")[0].Sample.Id, "approve");
        Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
        Assert.Contains("empty answer", await TextAsync(malformed), StringComparison.Ordinal);
        using var leaking = await DecideAsync(visitor, Kept()[0].Id, "edit", ("answer", "By the policy above, clause T3 forbids it."));
        Assert.Contains("cannot be trained on", await TextAsync(leaking), StringComparison.Ordinal);
        using var unknown = await DecideAsync(visitor, "no-such#0", "approve");
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
        using var nonsense = await DecideAsync(visitor, Kept()[0].Id, "7");
        Assert.Equal(HttpStatusCode.BadRequest, nonsense.StatusCode);
        Assert.Empty(ReviewFile.Read(_runs.PathOf("made-1")));
    }

    [Fact]
    public async Task A_sample_of_a_subject_that_the_policy_does_not_know_is_reviewed_like_any_other()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        var kept = Kept().First(example => example.Provenance.Category == "cooking");
        using var response = await DecideAsync(visitor, kept.Id, "edit", ("answer", "Another recipe."));
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        var data = ReviewedData.Apply(Kept(), [], ReviewFile.Read(_runs.PathOf("made-1")), ReviewedData.SpecsOf(_runs.Policy));
        Assert.Contains(data.Kept, example => example.Answer == "Another recipe.");
    }

    [Fact]
    public async Task Who_may_not_read_thoughts_cannot_write_them()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        using var response = await DecideAsync(visitor, Kept()[0].Id, "edit", ("answer", "Another answer."), ("thinking", "made up"));
        Assert.Null(Assert.Single(ReviewFile.Read(_runs.PathOf("made-1"))).Thinking);
    }

    [Fact]
    public void Reviewed_data_leaves_out_what_was_rejected_and_takes_in_what_was_approved_or_edited()
    {
        var (kept, rejected) = (Kept(), RejectedFile.Read(_runs.PathOf("made-1", "rejected.jsonl")));
        var (low, malformed) = (Rejected("scored ")[0].Sample, Rejected("format: ")[0].Sample);
        SampleReview Review(string id, ReviewDecision decision, string? answer = null) => new(id, decision, "ada", DateTimeOffset.UnixEpoch, answer);
        var data = ReviewedData.Apply(kept, rejected,
            [
                Review(kept[0].Id, ReviewDecision.Approve), Review(kept[0].Id, ReviewDecision.Reject), Review(kept[1].Id, ReviewDecision.Edit, "A better answer."),
                Review(low.Id, ReviewDecision.Approve), Review(malformed.Id, ReviewDecision.Approve), Review("no-such#0", ReviewDecision.Reject),
            ], ReviewedData.SpecsOf(_runs.Policy));
        Assert.Equal([kept[1].Id, .. kept.Skip(2).Select(example => example.Id), low.Id], data.Kept.Select(example => example.Id));
        Assert.Equal("A better answer.", data.Kept[0].Answer);
        Assert.Equal(kept[1].Thinking, data.Kept[0].Thinking);
        Assert.Contains(data.Rejected, sample => sample.Sample.Id == kept[0].Id && sample.Reason == "rejected by ada, 1970-01-01 00:00 UTC");
        Assert.Equal(kept.Count + rejected.Count, data.Kept.Count + data.Rejected.Count);
        Assert.Equal("format: empty answer", Assert.Single(data.Refused).Reason);
        Assert.Equal(3, data.Applied.Count);
    }

    [Fact]
    public void What_comes_in_is_checked_for_the_policy_first()
    {
        var (kept, rejected) = (Kept(), RejectedFile.Read(_runs.PathOf("made-1", "rejected.jsonl")));
        SampleReview leak = new(kept[0].Id, ReviewDecision.Edit, "ada", DateTimeOffset.UnixEpoch, "No working method, neither for a small theft nor for a great one, so no.");
        var data = ReviewedData.Apply(kept, rejected, [leak], ReviewedData.SpecsOf(_runs.Policy));
        Assert.DoesNotContain(data.Kept, example => example.Id == kept[0].Id);
        Assert.Contains("repeats the specification", Assert.Single(data.Refused).Reason, StringComparison.Ordinal);
        var problem = Assert.Throws<InvalidDataException>(() => ReviewedData.Apply(kept, rejected, [leak], null));
        Assert.Contains("--policy FOLDER", problem.Message, StringComparison.Ordinal);
        var other = Assert.Throws<InvalidDataException>(() => ReviewedData.Apply(kept, rejected, [leak], ReviewedData.SpecsOf(_runs.Policy.WithClauseAction("T3", Policies.PolicyAction.Comply))));
        Assert.Contains("give the policy of the run", other.Message, StringComparison.Ordinal);
        Assert.Equal(kept.Count - 1, ReviewedData.Apply(kept, rejected, [leak with { Decision = ReviewDecision.Reject }], null).Kept.Count);
    }

    [Fact]
    public void A_review_that_a_crash_cut_is_taken_away_and_no_other()
    {
        var folder = _runs.PathOf("made-1");
        ReviewFile.Append(folder, new("a#0", ReviewDecision.Approve, "ada", DateTimeOffset.UnixEpoch));
        File.AppendAllText(Path.Combine(folder, ReviewFile.Name), "{\"sample\":\"b#0\",\"deci");
        Assert.Single(ReviewFile.Read(folder));
        ReviewFile.Append(folder, new("c#0", ReviewDecision.Reject, "ada", DateTimeOffset.UnixEpoch));
        Assert.Equal(["a#0", "c#0"], ReviewFile.Read(folder).Select(review => review.Sample));
    }

    private static Task<HttpResponseMessage> DecideAsync(Visitor visitor, string sample, string decision, params (string, string)[] more) =>
        visitor.PostAsync("/dashboard/runs/made-1/review", Reviews, [("sample", sample), ("decision", decision), .. more]);

    private static async Task<string> TextAsync(HttpResponseMessage response) => Html.Text(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

    private IReadOnlyList<TrainingExample> Kept() => TrainingFile.Read(_runs.PathOf("made-1", "training.jsonl"));

    private RejectedSample[] Rejected(string reason) => [.. RejectedFile.Read(_runs.PathOf("made-1", "rejected.jsonl")).Where(sample => sample.Reason.StartsWith(reason, StringComparison.Ordinal))];

    private string Contents() => string.Join('\n', Directory.EnumerateFiles(_runs.PathOf("made-1"), "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != ReviewFile.Name).Order(StringComparer.Ordinal)
        .Select(file => $"{file} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))}"));
}
