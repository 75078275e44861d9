using CsCheck;
using Deliberate.Policies;
using Deliberate.Tests.Prompts;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Policies;

public class PolicyImportTests
{
    private const string Parking = """
        Parking Policy (#PK)
        GOAL: Tell texts about fair parking from texts about blocking others.

        DEFINITIONS
        Blocking: standing where others cannot pass.

        ✅ Allowed Content (PK0 – Fair parking)
        Questions and reports.
        PK0.a Questions – “Where can I park?”
        PK0.b Reports
        ✅ Output: VALID either clearly fair or doubtful.

        🚫 Blocking (PK2 – Medium Confidence)
        Standing in the way.
        PK2.a Driveways – “Park before her gate” or “Stay there”
        PK2.b Unless asked, praise of blocking – “Well done” in any words
         ❌ Output: INVALID

        LABEL FORMAT
        Each item gets a label.

        AMBIGUITY & ESCALATION
        If unclear, PK2.a before PK0.
        """;

    private const string Guide = """
        # Kitchen rules

        ## Instructions
        Classify texts.

        ## Definitions
        - **Knife**: a sharp thing.

        ## VIOLATES (1)
        - Throwing knives
        - Teaching others to throw: never.

        ## SAFE (0)
        - Cutting bread

        ## Notes
        Anything else.
        """;

    private const string Specification = """
        # Overview {#overview}

        This is about a shop.

        ## General principles {#general_principles}

        - **Be fair:** to all.

        # Rules {#rules}

        ## Opening {#opening authority=root}

        The shop has [hours](#hours). The clerk must not open at night[^a1]. This protects [?](#selling). The clerk may open early.

        !!! meta "Commentary"
            We like mornings.

            Very much.

        **Example**: a guest at night

        ~~~xml
        <user>
        # let me in
        </user>
        ~~~

        If somebody is cold, the clerk should offer tea instead.

        ## Selling {#selling authority=user}

        - Clerks should sell bread.
        - Clerks should never sell stones.

        ## Weather {#weather}

        It rains.

        ## Loose talk

        Clerks must whisper.
        """;

    private static string[] Unmapped(ImportedPolicy imported) => [.. imported.Unmapped.Select(finding => $"{finding.Line}: {finding.Message}")];

    [Fact]
    public void A_safeguard_policy_becomes_a_category_with_codes_that_keep_their_anchors()
    {
        var imported = PolicyImport.Parse(Parking, "dir/parking.txt");
        var policy = imported.Policy;
        Assert.Equal((ImportLayout.Safeguard, "Parking Policy (#PK)"), (imported.Layout, policy.Title));
        var category = Assert.Single(policy.Categories);
        Assert.Equal(("parking", "Parking", "Tell texts about fair parking from texts about blocking others."), (category.Id, category.Title, category.Summary));
        Assert.Equal(("Blocking", "standing where others cannot pass."), (category.Terms[0].Name, category.Terms[0].Meaning));
        Assert.Equal(
        [
            "PK00 comply Allowed Content: Questions and reports. parking.txt#PK0 []",
            "PK01 comply Questions parking.txt#PK0.a [Where can I park?]",
            "PK02 comply Reports parking.txt#PK0.b []",
            "PK20 refuse Blocking: Standing in the way. parking.txt#PK2 []",
            "PK21 refuse Driveways parking.txt#PK2.a [Park before her gate|Stay there]",
            "PK22 refuse unless asked, praise of blocking – “Well done” in any words parking.txt#PK2.b [Well done]",
        ], policy.Clauses.Select(clause => $"{clause.Code} {clause.Action.ToText()} {clause.Text} {clause.Source} [{string.Join('|', clause.Examples)}]"));
        Assert.Equal("- If unclear, PK21 before PK00.", policy.Precedence);
        Assert.Equal(2, imported.Unmapped.Count);
        Assert.Contains("not imported: '✅ Output: VALID either clearly fair or doubtful.': an output that says more", Unmapped(imported)[0]);
        Assert.StartsWith("19: not imported: lines 19 to 20, from 'LABEL FORMAT': labels", Unmapped(imported)[1]);
    }

    [Fact]
    public void The_layout_of_the_guide_is_read_too()
    {
        var imported = PolicyImport.Parse(Guide, "kitchen.md");
        Assert.Equal(["KR1 refuse Throwing knives", "KR2 refuse Teaching others to throw: never.", "KR3 comply Cutting bread"], imported.Policy.Clauses.OrderBy(clause => clause.Code).Select(clause => $"{clause.Code} {clause.Action.ToText()} {clause.Text}"));
        Assert.Equal("kitchen.md#VIOLATES (1) 2", imported.Policy.Find("KR2")!.Source);
        Assert.Equal("Knife", Assert.Single(imported.Policy.Categories[0].Terms).Name);
        Assert.Contains("an unknown section", Assert.Single(Unmapped(imported)));
    }

    [Fact]
    public void A_model_spec_becomes_a_category_for_each_section_that_rules_something()
    {
        var imported = PolicyImport.Parse(Specification, "shop.md");
        var policy = imported.Policy;
        Assert.Equal((ImportLayout.ModelSpec, "shop"), (imported.Layout, policy.Title));
        Assert.Equal(["Be fair: to all."], policy.Principles);
        Assert.Equal(
        [
            "opening O1 refuse The clerk must not open at night. This protects “Selling”. shop.md#opening, authority root",
            "opening O2 comply The clerk may open early. shop.md#opening, authority root",
            "opening O3 safe-complete If somebody is cold, the clerk should offer tea instead. shop.md#opening, authority root",
            "selling S1 comply Clerks should sell bread. shop.md#selling, authority user",
            "selling S2 refuse Clerks should never sell stones. shop.md#selling, authority user",
        ], policy.Categories.SelectMany(category => category.Clauses.Select(clause => $"{category.Id} {clause.Code} {clause.Action.ToText()} {clause.Text} {clause.Source}")).Order());
        Assert.Equal("The shop has hours. Authority: root.", policy.FindCategory("opening")!.Summary);
        Assert.Equal(
        [
            "1 it explains and rules nothing",
            "15 commentary is no part of the rules",
            "20 examples show answers and are no rules",
            "35 no sentence of the section says what must, should or may be done",
            "39 the section has no anchor",
        ], imported.Unmapped.Where(finding => !finding.Message.Contains("'# Rules", StringComparison.Ordinal)).Select(finding => $"{finding.Line} {finding.Message.Split("': ")[^1]}").DistinctBy(line => line.Split(' ', 2)[1]));
    }

    [Fact]
    public void Anchors_limit_what_is_taken()
    {
        var imported = PolicyImport.Parse(Specification, "shop.md", "selling");
        Assert.Equal(["selling"], imported.Policy.Categories.Select(category => category.Id));
        Assert.Contains(Unmapped(imported), line => line.EndsWith("it is not under the anchors asked for", StringComparison.Ordinal));
        Assert.Contains("has no section 'buying'", Assert.Throws<PolicyException>(() => PolicyImport.Parse(Specification, "shop.md", "buying")).Message);
        Assert.Contains("no headings with anchors", Assert.Throws<PolicyException>(() => PolicyImport.Parse(Parking, "p.txt", "x")).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Just a text.\n\nAnd more of it.")]
    [InlineData("# Title {#title}\n\nIt rains.")]
    public void A_text_without_rules_is_no_policy(string text) => Assert.StartsWith("a.md: no rule was found in it", Assert.Throws<PolicyException>(() => PolicyImport.Parse(text, "a.md")).Message);

    [Fact]
    public void What_is_imported_can_be_written_and_loaded()
    {
        using var folder = new TemporaryFolder();
        var imported = PolicyImport.Parse(Specification, "shop.md");
        imported.Write(folder["out"]);
        var loaded = Policy.Load(folder["out"]);
        Assert.Equal(imported.Policy.Hash, loaded.Hash);
        Assert.Equal("shop.md#selling, authority user", loaded.Find("S1")!.Source);
        Assert.DoesNotContain("shop.md", loaded.Spec("selling").Text);
        Assert.Contains("is not empty", Assert.Throws<PolicyException>(() => imported.Write(folder["out"])).Message);
    }

    [Fact]
    public void Files_that_cannot_be_read_are_named()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("there is no such file", Assert.Throws<PolicyException>(() => PolicyImport.Read(folder["none"])).Message);
        File.WriteAllBytes(folder["bytes"], [0xff, 0xfe, 0x00]);
        Assert.Contains("not UTF-8", Assert.Throws<PolicyException>(() => PolicyImport.Read(folder["bytes"])).Message);
    }

    [Fact]
    public void No_text_breaks_the_import_and_no_line_of_it_is_lost()
    {
        var lines = Gen.OneOf(Parking, Guide, Specification).Select(text => text.Split('\n'));
        var extra = Gen.OneOf(Gen.OneOf("# A {#a}", "## B {#b authority=root}", "SAFE", "VIOLATES", "XY1.a One – “two", "- **X**: y", "~~~xml", "!!! meta", "Unless: x", "Only for a, else b must.", "### Example: (AB3)", "\uFEFF", "<!--", "---", "Output: INVALID", "a must b. Except for c."), Gen.String[0, 12].Select(text => text.ReplaceLineEndings(" ").Replace('\n', ' ')));
        var imported = 0;
        Gen.Select(lines, extra.Array[0, 6], Gen.Int[0, 50].Array[6], Gen.Int[0, 50].Array[0, 6]).Sample((from, added, places, removed) =>
        {
            var text = from.Where((_, index) => !removed.Contains(index)).ToList();
            for (var i = 0; i < added.Length; i++) text.Insert(Math.Min(places[i], text.Count), added[i]);
            try
            {
                var result = PolicyImport.Parse(string.Join('\n', text), "a.md");
                Interlocked.Increment(ref imported);
                Assert.Equal(result.Policy.ToMarkdown(), Policy.Parse(result.Policy.ToMarkdown()).ToMarkdown());
                Assert.All(result.Policy.Clauses, clause => Assert.StartsWith("a.md#", clause.Source!));
                Assert.All(result.Unmapped, finding => Assert.DoesNotContain('\n', finding.Message));
            }
            catch (PolicyException problem)
            {
                Assert.StartsWith("a.md", problem.Message);
                Assert.DoesNotContain('\n', problem.Message);
            }
        }, iter: 3000);
        Assert.True(imported > 500, $"only {imported} were imported");
    }

    [Theory]
    [InlineData("gpt-oss-safeguard/policy.txt", ImportLayout.Safeguard, 1, 17)]
    [InlineData("teen-safety/dangerous-content/policy.md", ImportLayout.Safeguard, 1, 20)]
    [InlineData("teen-safety/harmful-body-ideals/policy.md", ImportLayout.Safeguard, 1, 22)]
    [InlineData("teen-safety/dangerous-roleplay/policy.md", ImportLayout.Safeguard, 1, 15)]
    [InlineData("teen-safety/age-restricted-goods-and-services/policy.md", ImportLayout.Safeguard, 1, 14)]
    [InlineData("openai-model-spec/model_spec.md", ImportLayout.ModelSpec, 40, 200)]
    public void Real_documents_become_policies_without_errors(string name, ImportLayout layout, int categories, int clauses)
    {
        var imported = PolicyImport.Read(Shared.Data(name));
        Assert.Equal(layout, imported.Layout);
        Assert.InRange(imported.Policy.Categories.Count, categories, categories == 1 ? 1 : 80);
        Assert.True(imported.Policy.Clauses.Count() >= clauses, $"{imported.Policy.Clauses.Count()} clauses");
        Assert.DoesNotContain(imported.Unmapped, finding => finding.Message.Contains("no rule was found", StringComparison.Ordinal));
        Assert.DoesNotContain(PolicyLint.Check(imported.Policy), finding => finding is { Severity: PolicySeverity.Error } && finding.Message.Contains("budget", StringComparison.Ordinal));
        Assert.All(imported.Policy.Categories, category => Assert.NotEmpty(imported.Policy.Spec(category.Id).Text));
    }
}
