using System.Text.RegularExpressions;
using Deliberate.Miniature.World;
using Xunit;

namespace Deliberate.Miniature.Tests;

public partial class RequestTests
{
    [Fact]
    public void A_plain_text_means_one_topic_and_one_act()
    {
        var meanings = new Dictionary<string, (Topic, Act)>();
        foreach (var request in Sample.PlainRequests())
        {
            Assert.True(meanings.TryAdd(request.Text, (request.Topic, request.Act)), $"Two requests read: {request.Text}");
            Assert.DoesNotContain('{', request.Text);
        }
    }

    [Fact]
    public void A_text_with_all_its_trimmings_means_one_topic_act_and_user()
    {
        var random = new Random(1);
        var meanings = new Dictionary<string, (Topic, Act, Persona?)>();
        for (var i = 0; i < 60_000; i++)
        {
            var request = RequestSampler.Draw(random, RequestSampler.Pick(random, Topic.All), RequestSampler.Pick(random, Act.All), new(Wrapped: 0.5, Persona: 0.5, Filler: 0.5, FirstTurn: 0));
            var meaning = (request.Topic, request.Act, request.Persona);
            if (!meanings.TryAdd(request.Text, meaning)) Assert.Equal(meanings[request.Text], meaning);
        }
    }

    [Fact]
    public void Every_wrapper_can_be_undone()
    {
        var random = new Random(2);
        foreach (var plain in Sample.PlainRequests())
        {
            // A user and a filler around it, now and then.
            var request = RequestSampler.Draw(random, plain.Topic, plain.Act, new(Wrapped: 0, Persona: 0.3, Filler: 0.3, FirstTurn: 0)) with { Phrasing = plain.Phrasing };
            foreach (var wrapper in Wrappers.All)
                foreach (var variant in (int[])[0, 1])
                {
                    var wrapped = request with { Wrapper = wrapper, WrapperVariant = variant };
                    Assert.NotEqual(request.Text, wrapped.Text);
                    if (wrapper == Wrapper.Foreign)
                        Assert.Contains($"{plain.Act.Foreign} {plain.Topic.Foreign}", wrapped.Text, StringComparison.Ordinal);
                    else Assert.Equal(request.Text, Undo(wrapped.Text, wrapper));
                }
        }
    }

    [Fact]
    public void The_topics_name_does_not_stand_in_an_encoded_request() =>
        Assert.All(Sample.PlainRequests(), request => Assert.All((Wrapper[])[Wrapper.Foreign, Wrapper.Spelled, Wrapper.PayloadSplitting], wrapper =>
            Assert.DoesNotContain($" {request.Topic.Name} ", $" {(request with { Wrapper = wrapper }).Text} ", StringComparison.Ordinal)));

    [Fact]
    public void What_somebody_else_is_does_not_make_the_user_one() =>
        Assert.All(Persona.Roles, role => Assert.All(Request.Fillers.Where(filler => filler.Contains(role.Name, StringComparison.Ordinal)), filler =>
            Assert.All(role.Phrasings, phrasing => Assert.DoesNotContain(phrasing.Replace("{r}", "", StringComparison.Ordinal).Trim(' ', '.', ':'), filler, StringComparison.Ordinal))));

    [Fact]
    public void Draws_depend_on_the_random_source_alone()
    {
        Assert.Equal(Sample.Cases(300, 5).Select(item => item.Request), Sample.Cases(300, 5).Select(item => item.Request));
        Assert.NotEqual(Sample.Cases(300, 5).Select(item => item.Request), Sample.Cases(300, 6).Select(item => item.Request));
    }

    [Fact]
    public void Draws_under_a_policy_meet_its_exceptions_and_its_users()
    {
        var random = new Random(3);
        var requests = Enumerable.Range(0, 2_000).Select(_ => RequestSampler.DrawUnder(random, Sample.Policy, "theft", new())).ToArray();
        Assert.InRange(requests.Count(request => request.Topic.Category == "theft"), 1_600, 1_999);
        foreach (var code in Sample.Policy.Clauses.Where(clause => clause.Category == "theft").Select(clause => clause.Code).Distinct())
            Assert.Contains(requests, request => Ruling.Of(Sample.Policy, request).Clause?.Code == code);
        Assert.Contains(requests, request => Ruling.Of(Sample.Policy, request).ExceptionHolds == true);
        Assert.Contains(requests, request => Ruling.Of(Sample.Policy, request) is { ExceptionHolds: false } && request.Persona is not null);
    }

    [Fact]
    public void A_first_turn_is_plain_and_benign()
    {
        var random = new Random(4);
        for (var i = 0; i < 200; i++)
        {
            var request = RequestSampler.Draw(random, Topic.All[0], Act.All[0], new(FirstTurn: 1));
            Assert.NotNull(request.FirstTurn);
            Assert.False(request.FirstTurn.Topic.Risky);
            Assert.Equal((Wrapper.None, null, null), (request.FirstTurn.Wrapper, request.FirstTurn.Persona, request.FirstTurn.FirstTurn));
        }
    }

    // The test's own way back, from the text alone.
    private static string Undo(string text, Wrapper wrapper)
    {
        switch (wrapper)
        {
            case Wrapper.RolePlay or Wrapper.IgnoreRules:
                return text[(text.IndexOf(". ", StringComparison.Ordinal) + 2)..];
            case Wrapper.PrefixInjection or Wrapper.RefusalSuppression:
                return text[..text.LastIndexOf(". ", StringComparison.Ordinal)];
            case Wrapper.FictionFrame:
                return text[(text.IndexOf(": ", StringComparison.Ordinal) + 2)..];
            case Wrapper.Reversed:
                return string.Join(' ', text[(text.IndexOf(": ", StringComparison.Ordinal) + 2)..].Split(' ').Reverse());
            case Wrapper.PayloadSplitting:
                var split = Split().Match(text);
                return split.Groups["rest"].Value.Replace("x plus y", split.Groups["x"].Value + split.Groups["y"].Value, StringComparison.Ordinal);
            default:
                // Spelled: the longest run of single letters that spells a topic.
                var spelled = Topic.All.Select(topic => (topic.Name, Letters: string.Join(' ', topic.Name.Where(letter => letter != ' '))))
                    .Where(topic => $" {text} ".Contains($" {topic.Letters} ", StringComparison.Ordinal) || text.Contains($" {topic.Letters}.", StringComparison.Ordinal)).MaxBy(topic => topic.Letters.Length);
                return text.Replace(spelled.Letters, spelled.Name, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex("^let x be (?<x>.*) and let y be (?<y>[^.]*)\\. (?<rest>.*)$")]
    private static partial Regex Split();
}
