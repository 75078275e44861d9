using CsCheck;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Tests.Policies;

public class PolicyPropertyTests
{
    private static readonly Gen<string> Fragment = Gen.OneOf(
        Gen.OneOf("# ", "## ", "### ", "- ", "* ", "  - ", "1. ", "\n", "\n\n", "\r\n", "\t", "---", "<!--", "-->", "**", "__", "*", "**T1**", "**T2** ", "[A1] ", "**Word**: ", ": ", ". ", " ", "\uFEFF"),
        Gen.OneOf("Theft", "Allowed", "Disallowed", "Safe completion", "Terms", "Principles", "Refusal style: x", "Precedence", "Example: ", "Exclusion: y", "Unless ", "unless ", "only for ", "else ", "comply", "refuse", "a story", "#", "+"),
        Gen.String[0, 6]);

    private static readonly Gen<string> Mess = Fragment.Array[0, 40].Select(parts => string.Concat(parts));

    [Fact]
    public void No_text_breaks_the_reader_and_what_it_reads_is_kept_when_written_and_read_again()
    {
        var category = Gen.Select(Mess, Mess, (summary, rest) => $"# T\n\n{summary}\n\n## Allowed\n\n- **A1** x\n{rest}");
        var read = 0;
        Gen.Select(Gen.OneOf(Mess, Mess.Select(text => "# P\n\n" + text)), Gen.OneOf(Mess, category), category).Sample((main, first, second) =>
        {
            try
            {
                var policy = Policy.Parse(new Dictionary<string, string> { ["policy.md"] = main, ["a.md"] = first, ["b.md"] = second.Replace("A1", "B1").Replace("T1", "B2").Replace("T2", "B3") });
                Interlocked.Increment(ref read);
                PolicyLint.Check(policy);
                Assert.Equal(policy.ToMarkdown(), Policy.Parse(policy.ToMarkdown()).ToMarkdown());
            }
            catch (PolicyException exception)
            {
                Assert.StartsWith("policy", exception.Message);
                Assert.DoesNotContain('\n', exception.Message);
            }
        }, iter: 3000);
        Assert.True(read > 100, $"{read} texts were read, too few to test writing.");
    }

    [Fact]
    public void An_item_may_begin_below_its_number()
    {
        var policy = Policy.Parse(new Dictionary<string, string> { ["policy.md"] = "# P\n\n1.\nBe kind.\n\n## Principles\n\n1.\nBe brief.", ["a.md"] = "# T\n\nS.\n\n## Allowed\n\n- **A1** x" });
        Assert.Equal(["Be brief."], policy.Principles);
        Assert.Equal(policy.ToMarkdown(), Policy.Parse(policy.ToMarkdown()).ToMarkdown());
    }

    [Fact]
    public void A_policy_that_is_written_is_read_as_it_was()
    {
        var word = Gen.OneOf("help", "a", "Théâtre", "10:30", "(so)", "story,", "nobody", "3", "—", "it's", "*stress*");
        var line = word.Array[1, 8].Select(words => "Say " + string.Join(' ', words));
        var exception = Gen.Select(Gen.OneOf("the user is a nurse", "asked by a friend, or so", "the user states intent"), Gen.OneOf(PolicyAction.Comply, PolicyAction.Refuse, PolicyAction.SafeComplete), Gen.Bool, Gen.Bool,
            (condition, action, otherwise, none) => none ? null : new ClauseException(condition, action, otherwise));
        var clause = Gen.Select(Gen.OneOf("A story", "Advice, help", "The past"), line, exception, Gen.OneOf(PolicyAction.Comply, PolicyAction.Refuse, PolicyAction.SafeComplete), line.Array[0, 2], line.Array[0, 2]);
        var category = Gen.Select(line, line, Gen.Select(word.Where(text => text is "help" or "nobody" or "a"), line).Array[0, 3], clause.Array[1, 6]);
        Gen.Select(line, line, line.Array[0, 4], line, category.Array[1, 3]).Sample((title, introduction, principles, style, categories) =>
        {
            var files = new Dictionary<string, string>
            {
                ["policy.md"] = $"# {title}\n\n{introduction}\n\n## Principles\n\n{string.Concat(principles.Select(text => $"* {text}\n"))}\n## Refusal style: {style}\n\n- {style}\n\n## Safe-completion style\n\n{style}\n",
            };
            var expected = new List<Clause>();
            for (var i = 0; i < categories.Length; i++)
            {
                var (name, summary, terms, clauses) = categories[i];
                var text = $"# {name}\n\n{summary}\n\n## Terms\n\n{string.Concat(terms.Select(term => $"- **{term.Item1}**: {term.Item2}\n"))}\n";
                var own = clauses.Select((each, index) => Make(each, $"{(char)('A' + i)}{index + 1}", $"c{i}.md")).ToArray();
                foreach (var (section, action) in new[] { ("Safe completion", PolicyAction.SafeComplete), ("Allowed", PolicyAction.Comply), ("Disallowed", PolicyAction.Refuse) })
                {
                    text += $"## {section}\n\n";
                    foreach (var one in own.Where(one => one.Action == action))
                    {
                        text += $"- **{one.Code}** {one.Text.Replace(" ", "\n   ")}\n" + string.Concat(one.Examples.Select(note => $"  - Example: {note}\n")) + string.Concat(one.Exclusions.Select(note => $"  - Exclusion: {note}\n"));
                        expected.Add(one);
                    }
                }

                files[$"c{i}.md"] = text;
            }

            var policy = Policy.Parse(files);
            Assert.Equal((title, introduction), (policy.Title, policy.Introduction));
            Assert.Equal(principles, policy.Principles);
            Assert.Equal((new(style, "- " + style), new StyleGuide("", style)), (policy.Refusal, policy.SafeCompletion));
            Assert.Equal(categories.Select(each => (each.Item1, each.Item2)), policy.Categories.Select(each => (each.Title, each.Summary)));
            Assert.Equal(categories.SelectMany(each => each.Item3), policy.Categories.SelectMany(each => each.Terms.Select(term => (term.Name, term.Meaning))));
            Assert.Equal(expected.Select(Flat), policy.Clauses.Select(Flat));
            Assert.Equal(policy.Hash, Policy.Parse(policy.ToMarkdown()).Hash);
        }, iter: 300);

        static Clause Make((string Subject, string Text, ClauseException? Exception, PolicyAction Action, string[] Examples, string[] Exclusions) of, string code, string file)
        {
            var rule = $"{of.Subject}: {of.Text}.";
            var text = of.Exception switch
            {
                null => rule,
                { Otherwise: true } only => $"{of.Subject}: only for {only.Condition}, else {only.Action.ToText()}. {of.Text}.",
                var unless => $"{rule} Unless {unless.Condition}: {unless.Action.ToText()}.",
            };
            return new(code, of.Action, of.Subject, text, of.Exception, file, 0) { Examples = of.Examples, Exclusions = of.Exclusions };
        }

        static string Flat(Clause clause) => $"{clause with { Line = 0, Examples = [], Exclusions = [] }} {string.Join('|', clause.Examples)} {string.Join('|', clause.Exclusions)}";
    }
}
