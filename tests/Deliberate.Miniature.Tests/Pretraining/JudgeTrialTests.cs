using Deliberate.Evaluation;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class JudgeTrialTests
{
    [Theory]
    [InlineData(Fault.None)]
    [InlineData(Fault.WrongAction)]
    [InlineData(Fault.WrongStyle)]
    [InlineData(Fault.OffTopic)]
    [InlineData(Fault.WrongAct)]
    [InlineData(Fault.Blended)]
    [InlineData(Fault.Unclear)]
    public void A_trial_has_the_wanted_fault_or_the_nearest_that_the_request_allows(Fault wanted)
    {
        var random = new Random(1);
        var (met, draws) = (0, 0);
        foreach (var (policy, request) in Sample.Cases(600, 7))
        {
            var trial = JudgeTrial.Draw(random, policy, request, thoughtShown: false, wanted);
            var expected = (wanted, Ruling.Of(policy, request).Action) switch
            {
                (Fault.WrongStyle, PolicyAction.Comply) => Fault.WrongAct, // an answer that complies has no style
                (Fault.OffTopic or Fault.WrongAct, PolicyAction.Refuse) => Fault.None, // a refusal names neither
                (Fault.WrongAct, PolicyAction.SafeComplete) => Fault.OffTopic,
                var (fault, _) => fault,
            };
            if (trial.Fault != expected) Assert.Equal((Fault.Unclear, Fault.None), (wanted, trial.Fault)); // a shuffle that changed nothing
            else met++;
            draws++;
            Assert.Equal((null, null), (trial.Thought, trial.Cited));
            Assert.Equal(trial.Fault, Judgements.Compare(policy, request, null, Answers.Read(trial.Answer)));
        }

        Assert.True(met >= 0.99 * draws, $"{met} of {draws}");
    }

    [Fact]
    public void A_shown_thought_cites_what_the_trial_says_it_cites()
    {
        var random = new Random(2);
        var faults = new HashSet<Fault>();
        foreach (var (policy, request) in Sample.Cases(2_000, 8))
        {
            var trial = JudgeTrial.Draw(random, policy, request, thoughtShown: true);
            var found = ClauseCitations.Find(trial.Thought!);
            Assert.Equal(trial.Cited == "none" ? [] : [trial.Cited!], found);
            Assert.Equal(trial.Fault, Judgements.Compare(policy, request, trial.Cited, Answers.Read(trial.Answer)));
            faults.Add(trial.Fault);
        }

        Assert.Equal(Enum.GetValues<Fault>().Length, faults.Count);
    }

    [Fact]
    public void A_wrong_clause_is_drawn_where_there_is_another()
    {
        var random = new Random(3);
        foreach (var (policy, request) in Sample.Cases(500, 9))
        {
            var trial = JudgeTrial.Draw(random, policy, request, thoughtShown: true, Fault.WrongClause);
            var other = policy.Clauses.Any(clause => clause.Code != Ruling.Of(policy, request).Clause?.Code) || Ruling.Of(policy, request).Clause is not null;
            Assert.Equal(other ? Fault.WrongClause : Fault.None, trial.Fault);
        }
    }

    [Fact]
    public void The_mix_has_good_and_bad_answers_of_every_kind()
    {
        var random = new Random(4);
        var counts = Sample.Cases(3_000, 10).Select(item => JudgeTrial.Draw(random, item.Policy, item.Request, thoughtShown: false).Fault).CountBy(fault => fault).ToDictionary();
        Assert.InRange(counts[Fault.None], 1_050, 1_650);
        Assert.All((Fault[])[Fault.WrongAction, Fault.WrongStyle, Fault.OffTopic, Fault.WrongAct, Fault.Blended, Fault.Unclear], fault => Assert.True(counts[fault] > 90, $"{fault}: {counts[fault]}"));
    }

    [Fact]
    public void Draws_depend_on_the_random_source_alone()
    {
        JudgeTrial[] Draw(int seed)
        {
            var random = new Random(seed);
            return [.. Sample.Cases(300, 11).Select(item => JudgeTrial.Draw(random, item.Policy, item.Request, thoughtShown: true))];
        }

        Assert.Equal(Draw(1), Draw(1));
        Assert.NotEqual(Draw(1), Draw(2));
    }
}
