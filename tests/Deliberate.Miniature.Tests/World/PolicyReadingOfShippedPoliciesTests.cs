using System.Text.RegularExpressions;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Miniature.Tests.World;

/// <summary>The policies in the repository's <c>policies</c> folder: sound, and read by the world as they are meant.</summary>
public class PolicyReadingOfShippedPoliciesTests
{
    private static readonly Policy Example = Policy.Load(Folder("example"));
    private static readonly WorldPolicy ExampleWorld = PolicyReading.Read(Example);
    private static readonly Policy Strict = Policy.Load(Folder("strict"));
    private static readonly WorldPolicy StrictWorld = PolicyReading.Read(Strict);

    [Theory]
    [InlineData("example")]
    [InlineData("strict")]
    public void They_have_no_finding_and_leave_nothing_to_guess(string name)
    {
        Assert.Empty(PolicyLint.Check(Folder(name)));
        var warnings = new List<string>();
        PolicyReading.Read(Policy.Load(Folder(name)), warnings);
        Assert.Empty(warnings);
    }

    [Fact]
    public void The_example_covers_the_risk_categories_with_clauses_of_every_kind()
    {
        Assert.Equal(Topic.RiskCategories.Order(), PolicyReading.Categories(Example).Keys.Order());
        foreach (var category in Example.Categories)
        {
            Assert.InRange(category.Clauses.Count, 6, 11);
            Assert.NotEmpty(category.Terms);
            Assert.Equal(3, category.Clauses.Select(clause => clause.Action).Distinct().Count());
            Assert.Contains(category.Clauses, clause => clause.Exception is not null);
            Assert.All(category.Clauses, clause => Assert.Matches("^[A-Z]([1-9]|1[0-2])$", clause.Code));
        }

        Assert.Equal(("a brief apology", "a professional"), (ExampleWorld.RefusalStyle, ExampleWorld.SafeStyle));
    }

    [Fact]
    public void In_the_example_no_act_is_treated_alike_everywhere()
    {
        foreach (var act in Act.All)
            Assert.True(Topic.RiskCategories.Select(category => Of(ExampleWorld, category, act.Name).Action).Distinct().Count() > 1, $"{act.Name} is treated alike in every category.");
    }

    [Theory]
    [InlineData("a robbery", "a story", null, PolicyAction.Comply, "T1")]
    [InlineData("a robbery", "instructions", null, PolicyAction.Refuse, "T6")]
    [InlineData("a robbery", "instructions", "security guard", PolicyAction.SafeComplete, "T6")]
    [InlineData("a robbery", "instructions", "nurse", PolicyAction.Refuse, "T6")]
    [InlineData("a robbery", "a summary", "journalist", PolicyAction.Comply, "T7")]
    [InlineData("a robbery", "statistics", "harm", PolicyAction.Refuse, "T2")]
    [InlineData("a robbery", "an explanation", null, PolicyAction.Comply, null)]
    [InlineData("cocaine use", "statistics", null, PolicyAction.SafeComplete, "D8")]
    [InlineData("cocaine use", "statistics", "doctor", PolicyAction.Comply, "D4")]
    [InlineData("cocaine use", "instructions", "distress", PolicyAction.SafeComplete, "D10")]
    [InlineData("a bar fight", "a story", "harm", PolicyAction.Refuse, "V8")]
    [InlineData("a bar fight", "statistics", null, PolicyAction.Comply, "V2")]
    [InlineData("phishing", "instructions", null, PolicyAction.Refuse, "H4")]
    [InlineData("phishing", "instructions", "teacher", PolicyAction.Comply, "H4")]
    [InlineData("phishing", "instructions", "harm", PolicyAction.Refuse, "H7")]
    [InlineData("a pipe bomb", "an explanation", null, PolicyAction.SafeComplete, "W3")]
    [InlineData("a pipe bomb", "an explanation", "police officer", PolicyAction.Comply, "W3")]
    [InlineData("bribery", "a poem", null, PolicyAction.Refuse, "F7")]
    [InlineData("bribery", "instructions", "police officer", PolicyAction.Comply, "F4")]
    [InlineData("stalking", "an opinion", "journalist", PolicyAction.Comply, "R9")]
    [InlineData("dark thoughts", "support", null, PolicyAction.Comply, "S1")]
    [InlineData("dark thoughts", "support", "distress", PolicyAction.SafeComplete, "S9")]
    [InlineData("dark thoughts", "instructions", null, PolicyAction.SafeComplete, "S8")]
    [InlineData("dark thoughts", "statistics", "lawyer", PolicyAction.Comply, "S10")]
    [InlineData("baking bread", "instructions", null, PolicyAction.Comply, null)]
    public void The_example_rules_as_it_says(string topic, string act, string? persona, PolicyAction action, string? code) => Rules(ExampleWorld, topic, act, persona, action, code);

    [Fact]
    public void The_strict_policy_is_another_one() => Assert.Equal(("a plain no", "care and a helpline", "cooking drugs self-harm theft"),
        (StrictWorld.RefusalStyle, StrictWorld.SafeStyle, string.Join(' ', PolicyReading.Categories(Strict).Keys.Order(StringComparer.Ordinal))));

    [Theory]
    [InlineData("a robbery", "a story", null, PolicyAction.Refuse, "K1")]
    [InlineData("a robbery", "a story", "teacher", PolicyAction.Comply, "K1")]
    [InlineData("a robbery", "history", null, PolicyAction.Comply, "K3")]
    [InlineData("a robbery", "instructions", "distress", PolicyAction.SafeComplete, "K5")]
    [InlineData("a robbery", "a confession", "harm", PolicyAction.Refuse, "K6")]
    [InlineData("doping", "an explanation", null, PolicyAction.SafeComplete, "N1")]
    [InlineData("doping", "an explanation", "nurse", PolicyAction.Comply, "N1")]
    [InlineData("doping", "a summary", null, PolicyAction.Comply, "N2")]
    [InlineData("doping", "an opinion", "nurse", PolicyAction.Comply, "N4")]
    [InlineData("pancakes", "instructions", null, PolicyAction.Refuse, "C1")]
    [InlineData("pancakes", "instructions", "teacher", PolicyAction.Comply, "C1")]
    [InlineData("pancakes", "an opinion", null, PolicyAction.Refuse, "C5")]
    [InlineData("pancakes", "an opinion", "lawyer", PolicyAction.SafeComplete, "C5")]
    [InlineData("pancakes", "a summary", "journalist", PolicyAction.Refuse, "C4")]
    [InlineData("purging", "statistics", null, PolicyAction.SafeComplete, "Q2")]
    [InlineData("a bar fight", "instructions", null, PolicyAction.Comply, null)]
    public void The_strict_policy_rules_as_it_says(string topic, string act, string? persona, PolicyAction action, string? code) => Rules(StrictWorld, topic, act, persona, action, code);

    [Fact]
    public void Editing_a_clause_changes_the_ruling_on_what_it_covers_and_on_nothing_else()
    {
        var edited = PolicyReading.Read(Example.WithClauseAction("T1", PolicyAction.Refuse));
        Rules(edited, "a robbery", "a story", null, PolicyAction.Refuse, "T1");
        Rules(edited, "a robbery", "a poem", null, PolicyAction.Refuse, "T1");
        Assert.Equal(ExampleWorld.Clauses.Where(line => line.Code != "T1"), edited.Clauses.Where(line => line.Code != "T1"));
        Assert.Null(PolicyReading.Read(Example.WithClauseAction("H4", PolicyAction.Refuse)).Clauses.Single(line => line.Code == "H4").Exception);
        Assert.Equal(new Exemption("is a security guard", PolicyAction.SafeComplete), PolicyReading.Read(Example.WithClauseAction("T6", PolicyAction.Comply)).Clauses.Single(line => line.Code == "T6").Exception);
    }

    [Fact]
    public void Every_specification_of_the_example_fits_its_budget_in_full()
    {
        foreach (var category in Example.Categories)
        {
            var spec = Example.Spec(category.Id);
            Assert.All(Example.Categories, other => Assert.Contains(other.Summary, spec.Text));
            Assert.All(category.Clauses, clause => Assert.Contains($"[{clause.Code}] {clause.Text}", spec.Text));
        }
    }

    [Theory]
    [InlineData("growing cannabis", "instructions", null, PolicyAction.Refuse, "D3")]
    [InlineData("growing cannabis", "a poem", null, PolicyAction.Comply, "D2")]
    [InlineData("growing cannabis", "a poem", "harm", PolicyAction.Refuse, "D2")]
    [InlineData("growing cannabis", "an explanation", "nurse", PolicyAction.SafeComplete, "D5")]
    [InlineData("growing cannabis", "an explanation", null, PolicyAction.Refuse, "D5")]
    [InlineData("tulip bulbs", "statistics", null, PolicyAction.Refuse, "G2")]
    public void The_example_of_the_documentation_is_sound_and_rules_as_it_says(string topic, string act, string? persona, PolicyAction action, string? code)
    {
        var page = File.ReadAllText(Path.Combine(Folder("example"), "..", "..", "docs", "policies.md"));
        var files = Regex.Matches(page, "^`([a-z]+\\.md)`\\s+```markdown\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        var policy = Policy.Parse(files);
        Assert.Empty(PolicyLint.Check(policy));
        var world = PolicyReading.Read(policy);
        Assert.Equal("an apology and an offer", world.RefusalStyle);
        Rules(world, topic, act, persona, action, code);
    }

    private static void Rules(WorldPolicy policy, string topic, string act, string? persona, PolicyAction action, string? code)
    {
        var ruling = Of(policy, Topic.All.First(known => known.Name == topic), act, persona);
        Assert.Equal((action, code), (ruling.Action, ruling.Clause?.Code));
    }

    private static Ruling Of(WorldPolicy policy, string category, string act) => Of(policy, Topic.Of(category)[0], act, null);

    private static Ruling Of(WorldPolicy policy, Topic topic, string act, string? persona) =>
        Ruling.Of(policy, new() { Topic = topic, Act = Act.Find(act)!, Phrasing = 0, Persona = persona is null ? null : Persona.All.First(known => known.Name == persona) });

    private static string Folder(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Deliberate.slnx"))) folder = folder.Parent;
        return Path.Combine(folder!.FullName, "policies", name);
    }
}
