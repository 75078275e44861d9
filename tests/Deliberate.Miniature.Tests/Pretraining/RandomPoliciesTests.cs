using Deliberate.Miniature.Language;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class RandomPoliciesTests
{
    private static WorldPolicy[] Draw(double progress, int count = 1_000)
    {
        var random = new Random(1);
        return Enumerable.Range(0, count).Select(i => RandomPolicies.Draw(random, Topic.Categories[i % Topic.Categories.Count], progress)).ToArray();
    }

    [Fact]
    public void No_subject_has_two_clauses_in_one_category() =>
        Assert.All(Draw(1), policy => Assert.Equal(policy.Clauses.Count, policy.Clauses.DistinctBy(clause => (clause.Category, clause.Subject)).Count()));

    [Fact]
    public void Lines_with_one_code_are_one_clause_of_one_category() =>
        Assert.All(Draw(1), policy => Assert.All(policy.Clauses.GroupBy(clause => clause.Code), group =>
            Assert.Single(group.Select(clause => (clause.Category, clause.Action, clause.Exception)).Distinct())));

    [Fact]
    public void Exceptions_demand_another_action() =>
        Assert.All(Draw(1).SelectMany(policy => policy.Clauses).Where(clause => clause.Exception is not null), clause => Assert.NotEqual(clause.Action, clause.Exception!.Action));

    [Fact]
    public void Subjects_codes_and_styles_are_the_worlds()
    {
        foreach (var policy in Draw(1))
        {
            Assert.Contains(policy.RefusalStyle, Styles.Refusals);
            Assert.Contains(policy.SafeStyle, Styles.SafeCompletions);
            foreach (var clause in policy.Clauses)
            {
                Assert.Matches("^[A-Z]{1,2}[0-9]{1,2}$", clause.Code);
                Assert.True(Act.Find(clause.Subject) is not null || clause.Subject == WorldPolicy.ProfessionalTitle || Persona.All.Any(persona => persona.ClauseTitle == clause.Subject));
            }
        }
    }

    [Fact]
    public void Policies_grow_with_progress()
    {
        Assert.All(Draw(0), policy => Assert.InRange(policy.Clauses.Count, 1, 3));
        Assert.All(Draw(0), policy => Assert.All(policy.Clauses, clause => Assert.Null(clause.Exception)));
        Assert.All(Draw(0.2), policy => Assert.True(policy.Clauses.Count(clause => Act.Find(clause.Subject) is not null && clause.Category == policy.Clauses[0].Category) <= 6));
        var late = Draw(1);
        Assert.Contains(late, policy => policy.Clauses.Count >= 11);
        Assert.Contains(late, policy => policy.Clauses.Select(clause => clause.Category).Distinct().Count() == 2);
        Assert.Contains(late, policy => Act.Find(policy.Clauses[0].Subject) is null);
    }

    [Fact]
    public void What_a_clause_demands_does_not_hang_on_its_subject()
    {
        // Otherwise a model could guess instead of reading.
        foreach (var group in Draw(1, 4_000).SelectMany(policy => policy.Clauses).Where(clause => Act.Find(clause.Subject) is not null).GroupBy(clause => clause.Subject))
            Assert.All(Enum.GetValues<PolicyAction>(), action => Assert.InRange(group.Count(clause => clause.Action == action) / (double)group.Count(), 0.28, 0.39));
    }
}
