using CsCheck;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Miniature.Tests.World;

public class PolicyReadingTests
{
    [Theory]
    [InlineData("A story, a poem: x.", "a story|a poem")]
    [InlineData("Stories and poems", "a story|a poem")]
    [InlineData("Fiction / poetry: as long as no instructions are in it", "a story|a poem")]
    [InlineData("Creative writing: x", "a story|a poem")]
    [InlineData("Fiction without instructions, history: x", "a story|history")]
    [InlineData("Instructions, not stories: x", "instructions")]
    [InlineData("Step-by-step guides and how-to questions: x", "instructions")]
    [InlineData("How to prevent it: x", "prevention")]
    [InlineData("Guidance on prevention: x", "prevention")]
    [InlineData("Protection and warning signs: x", "prevention")]
    [InlineData("Transformation of the user's own text: x", "a translation|a summary")]
    [InlineData("Translations of instructions; summarising a story: x", "a translation|a summary")]
    [InlineData("**Confessions** of past acts & admissions: x", "a confession")]
    [InlineData("Emotional support: x", "support")]
    [InlineData("Explanations, definitions: x", "an explanation")]
    [InlineData("Figures: x", "statistics")]
    [InlineData("Statistics and numbers: x", "statistics")]
    [InlineData("Historical questions: x", "history")]
    [InlineData("Opinions: views on right and wrong", "an opinion")]
    [InlineData("Views: x", "an opinion")]
    [InlineData("Asked by a nurse: x", "asked by a nurse")]
    [InlineData("A user who is a nurse or doctor: x", "asked by a nurse|asked by a doctor")]
    [InlineData("Questions from police officers: x", "asked by a police officer")]
    [InlineData("Professionals: x", "asked by a professional")]
    [InlineData("Requests of a stated professional: x", "asked by a professional")]
    [InlineData("A user in distress: x", "asked in distress")]
    [InlineData("Someone who states intent to harm others: x", "asked with intent to harm")]
    [InlineData("A user who wants to hurt somebody: x", "asked with intent to harm")]
    [InlineData("Stories about teachers: x", "a story")]
    [InlineData("Support for people in distress: x", "support")]
    [InlineData("Art: prose counts, so a poem is meant.", "a poem")]
    [InlineData("We never object to poems.", "a poem")]
    public void Leads_name_acts_and_users_by_many_words(string clause, string subjects)
    {
        // "We never object …" has its only name behind a denial, and so it is looked for nowhere else.
        if (clause.StartsWith("We never", StringComparison.Ordinal)) Fails(Theft($"- **T1** {clause}"), "theft.md", 5, "names no act or user");
        else Assert.Equal(subjects, string.Join('|', Read(Theft($"- **T1** {clause}")).Clauses.Select(line => line.Subject)));
    }

    [Theory]
    [InlineData("a historian's prehistory")]
    [InlineData("understory, guidebook, numbering")]
    [InlineData("a viewpoint, public figures")]
    public void Words_within_words_are_no_names(string lead) => Fails(Theft($"- **T1** {lead}: x."), "theft.md", 5, "names no act or user of the world before its colon");

    [Fact]
    public void Every_act_and_user_is_known_by_its_own_name()
    {
        foreach (var act in Act.All) Assert.Equal(act.Name, Assert.Single(Read(Theft($"- **T1** {act.Name}: x.")).Clauses).Subject);
        foreach (var title in Persona.All.Select(persona => persona.ClauseTitle).Append(WorldPolicy.ProfessionalTitle))
            Assert.Equal(title, Assert.Single(Read(Theft($"- **T1** {title}: x.")).Clauses).Subject);
        foreach (var being in Persona.All.Select(persona => persona.Being).Append(Persona.ProfessionalBeing))
            Assert.Equal(new Exemption(being, PolicyAction.Refuse), Assert.Single(Read(Theft($"- **T1** Poems. Unless the user {being}: refuse.")).Clauses).Exception);
    }

    [Theory]
    [InlineData("Unless the user is a nurse: refuse.", PolicyAction.Comply, "is a nurse", PolicyAction.Refuse)]
    [InlineData("Unless asked by a stated professional: safe-complete.", PolicyAction.Comply, "is a professional", PolicyAction.SafeComplete)]
    [InlineData("Unless the user states that they mean to hurt someone: refuse.", PolicyAction.Comply, "intends harm", PolicyAction.Refuse)]
    [InlineData("When the user is in crisis: refuse.", PolicyAction.Comply, "is in distress", PolicyAction.Refuse)]
    [InlineData("Unless the user is distressed: refuse.", PolicyAction.Comply, "is in distress", PolicyAction.Refuse)]
    [InlineData("Unless the user is not a professional: refuse.", PolicyAction.Refuse, "is a professional", PolicyAction.Comply)]
    [InlineData("Allowed only for a stated professional, else safe completion.", PolicyAction.SafeComplete, "is a professional", PolicyAction.Comply)]
    [InlineData("Only when the user does not state an intent to harm; otherwise refuse.", PolicyAction.Comply, "intends harm", PolicyAction.Refuse)]
    public void Conditions_become_exemptions(string condition, PolicyAction action, string being, PolicyAction otherwise)
    {
        var line = Assert.Single(Read(Theft($"- **T1** Poems: x. {condition}")).Clauses);
        Assert.Equal((action, new Exemption(being, otherwise)), (line.Action, line.Exception));
    }

    [Fact]
    public void An_exception_that_changes_nothing_is_left_out() => Assert.Null(Assert.Single(Read(Theft("- **T1** Poems. Unless the user is a nurse: comply.")).Clauses).Exception);

    [Theory]
    [InlineData("- **T1** Songs: x.", "T1 names no act or user of the world before its colon ('Songs'); known acts are instructions, a story,")]
    [InlineData("- **T1** Instructions for nurses asked by a nurse: x.", "names an act and a user in one breath")]
    [InlineData("- **T1** Poems. Unless the user is a cook: refuse.", "the condition 'the user is a cook' of T1 names no user of the world; known are \"the user is a nurse\"")]
    [InlineData("- **T1** Poems. Unless the user is a nurse or a doctor: refuse.", "names several users (is a nurse, is a doctor)")]
    [InlineData("- **T1** Poems, unless the user is a nurse.", "the condition 'unless the user is a nurse' of T1 names no action")]
    [InlineData("- **T1** Poems: none, except for teachers.", "the condition 'except for teachers' of T1 names no action")]
    [InlineData("- **T1** Poems: only for teachers.", "the condition 'only for teachers' of T1 names no action")]
    public void A_clause_that_cannot_be_said_in_the_world_is_an_error(string clause, string problem) => Fails(Theft(clause), "theft.md", 5, problem);

    [Theory]
    [InlineData("- **T2** Fiction: x. Unless the user is a nurse: refuse.")]
    [InlineData("\n## Disallowed\n- **T2** Fiction: x.")]
    public void Two_demands_on_one_subject_are_an_error(string second) =>
        Fails(Theft("- **T1** Stories: x.\n" + second), "theft.md", second[0] == '-' ? 6 : 8, "T2 and T1 (line 5) both rule on a story and demand different things");

    [Fact]
    public void The_same_demand_twice_is_one_line() => Assert.Equal(["T1"], Read(Theft("- **T1** Stories: x.\n- **T2** Fiction: x.")).Clauses.Select(line => line.Code));

    [Fact]
    public void Clauses_about_users_come_first_and_the_others_in_their_order() =>
        Assert.Equal(["T2", "T4", "T1", "T3"], Read(Theft("- **T1** Stories.\n- **T2** Asked in distress.\n- **T3** Poems.\n- **T4** Asked by a nurse.")).Clauses.Select(line => line.Code));

    [Theory]
    [InlineData("self_harm", "Anything", "self-harm")]
    [InlineData("weapon", "Anything", "weapons")]
    [InlineData("drug-use", "Anything", "drugs")]
    [InlineData("01", "Theft and burglary", "theft")]
    [InlineData("violent-crime", "Theft", "violence")]
    [InlineData("field", "SELF HARM", "self-harm")]
    [InlineData("pet", "Anything", "pets")]
    public void Categories_are_known_by_their_file_or_title(string id, string title, string category)
    {
        var policy = Policy.Parse(Files((id, $"# {title}\n\n## Allowed\n\n- **T1** Poems.")));
        Assert.Equal(category, Assert.Single(Read(policy).Clauses).Category);
        Assert.Equal(id, PolicyReading.Categories(policy)[category].Id);
    }

    [Fact]
    public void Every_category_is_known_by_its_own_name()
    {
        foreach (var category in Topic.Categories) Assert.Equal(category, Assert.Single(Read(Policy.Parse(Files((category, "# X\n\n## Allowed\n\n- **T1** Poems.")))).Clauses).Category);
    }

    [Fact]
    public void Categories_outside_the_world_are_errors()
    {
        Fails(Policy.Parse(Files(("a", "# Astrology\n\n## Allowed\n\n- **T1** Poems."))), "a.md", 1, "known are violence, theft,");
        Fails(Policy.Parse(Files(("a", "# Theft and fraud\n\n## Allowed\n\n- **T1** Poems."))), "a.md", 1, "could be theft or fraud");
        Fails(Policy.Parse(Files(("a-theft", "# A\n\n## Allowed\n\n- **T1** Poems."), ("theft", "# B\n\n## Allowed\n\n- **T2** Poems."))), "theft.md", 1, "this is about theft, as a-theft.md is");
    }

    [Theory]
    [InlineData("Refusal style: A brief apology", "", "a brief apology", false)]
    [InlineData("Refusal style: brief apology", "", "a brief apology", false)]
    [InlineData("Refusal style: sorry, then an offer", "", "an apology and an offer", false)]
    [InlineData("Refusal style: plain", "", "a plain no", false)]
    [InlineData("Refusal style", "Apologise in one sentence. Do not offer anything else.", "a brief apology", false)]
    [InlineData("Refusal style", "Refuse without an apology.", "a plain no", false)]
    [InlineData("Refusal style: the house's", "Say sorry and suggest an alternative.", "an apology and an offer", true)]
    [InlineData("Refusal style: the house's", "Be brief.", "a brief apology", true)]
    [InlineData("Precedence", "", "a brief apology", true)]
    [InlineData("Safe-completion style: care and helpline", "", "care and a helpline", false)]
    [InlineData("Safe-completion style: a professional", "", "a professional", false)]
    [InlineData("Safe-completion style: General facts", "", "general facts", false)]
    [InlineData("Safe-completion style", "Speak in general and send people to a professional.", "a professional", false)]
    [InlineData("Safe-completion style", "Stay with facts.", "general facts", false)]
    [InlineData("Safe-completion style", "Give a helpline, or a professional.", "care and a helpline", false)]
    public void Styles_are_known_by_name_or_by_their_guidelines(string heading, string text, string style, bool warned)
    {
        var warnings = new List<string>();
        var files = Files(("theft", "# Theft\n\n## Allowed\n\n- **T1** Poems."));
        files["policy.md"] = $"# P\n\n## {heading}\n\n{text}";
        var world = PolicyReading.Read(Policy.Parse(files), warnings);
        var safe = heading.StartsWith("Safe", StringComparison.Ordinal);
        Assert.Equal(style, safe ? world.SafeStyle : world.RefusalStyle);
        Assert.Equal(warned, warnings.Any(warning => warning.Contains(safe ? "safe-completion style" : "refusal style")));
    }

    [Fact]
    public void Any_policy_of_the_world_is_read_as_it_was_written()
    {
        var action = Gen.OneOf(PolicyAction.Comply, PolicyAction.Refuse, PolicyAction.SafeComplete);
        var being = Gen.OneOf([.. Persona.All.Select(persona => persona.Being), Persona.ProfessionalBeing]);
        var subject = Gen.OneOf([.. Act.All.Select(act => act.Name), .. Persona.All.Select(persona => persona.ClauseTitle), WorldPolicy.ProfessionalTitle]);
        var clause = Gen.Select(subject, action, Gen.Bool, being, action);
        var category = Gen.Select(Gen.OneOf([.. Topic.Categories]), clause.Array[1, 13]);
        Gen.Select(category.Array[1, 5], Gen.OneOf([.. Styles.Refusals]), Gen.OneOf([.. Styles.SafeCompletions])).Sample((categories, refusal, safe) =>
        {
            var files = new Dictionary<string, string> { ["policy.md"] = $"# P\n\n## Refusal style: {refusal}\n\n## Safe-completion style: {safe}" };
            var expected = new List<WorldClause>();
            foreach (var (name, clauses) in categories.DistinctBy(each => each.Item1))
            {
                var text = new System.Text.StringBuilder($"# X\n");
                var number = 0;
                foreach (var (section, of) in new[] { ("Allowed", PolicyAction.Comply), ("Disallowed", PolicyAction.Refuse), ("Safe completion", PolicyAction.SafeComplete) })
                {
                    text.Append($"\n## {section}\n\n");
                    foreach (var (about, _, conditional, who, instead) in clauses.DistinctBy(each => each.Item1).Where(each => each.Item2 == of))
                    {
                        var line = new WorldClause(name, about, $"{(char)('A' + Topic.Categories.ToList().IndexOf(name))}{++number}", of, conditional && instead != of ? new(who, instead) : null);
                        text.Append($"- **{line.Code}** {about}: it is so.{(conditional ? $" Unless the user {who}: {instead.ToText()}." : "")}\n");
                        expected.Add(line);
                    }
                }

                files[name + ".md"] = text.ToString();
            }

            var world = Read(Policy.Parse(files));
            Assert.Equal((refusal, safe), (world.RefusalStyle, world.SafeStyle));
            Assert.Equal(expected.Select(line => line.Line).Order(StringComparer.Ordinal), world.Clauses.Select(line => line.Line).Order(StringComparer.Ordinal));
        }, iter: 200);
    }

    private static WorldPolicy Read(Policy policy) => PolicyReading.Read(policy);

    // The first clause is on line 5.
    private static Policy Theft(string clauses) => Policy.Parse(Files(("theft", $"# Theft\n\n## Allowed\n\n{clauses}\n")), "rules");

    private static Dictionary<string, string> Files(params ReadOnlySpan<(string Id, string Text)> categories)
    {
        var files = new Dictionary<string, string> { ["policy.md"] = "# P" };
        foreach (var (id, text) in categories) files[id + ".md"] = text;
        return files;
    }

    private static void Fails(Policy policy, string file, int line, string problem)
    {
        var exception = Assert.Throws<PolicyException>(() => Read(policy));
        Assert.StartsWith($"{Path.Combine(policy.Folder, file)}:{line}: ", exception.Message);
        Assert.Contains(problem, exception.Message);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
