using System.Text.Json;
using Deliberate.Inference.Templates;
using Xunit;

namespace Deliberate.Inference.Tests.Templates;

public class ChatTemplateTests
{
    private static string Render(string template, TemplateLimits? limits = null, params (string Name, TemplateValue Value)[] variables) =>
        ChatTemplate.Parse(template, "t").Render(variables.ToDictionary(variable => variable.Name, variable => variable.Value), limits).Text;

    private static TemplateException Fails(string template, TemplateLimits? limits = null) => Assert.Throws<TemplateException>(() => Render(template, limits));

    [Fact]
    public void Real_templates_render_as_transformers_does()
    {
        var (rendered, refused, spans) = (0, 0, 0);
        foreach (var path in TemplateFixtures.Templates())
        {
            var template = TemplateFixtures.Load(path);
            foreach (var item in TemplateFixtures.Cases(path))
            {
                if (item.Rendered is null)
                {
                    Assert.Throws<TemplateException>(() => template.Render(item.Input));
                    refused++;
                    continue;
                }

                var prompt = template.Render(item.Input);
                Assert.True(item.Rendered == prompt.Text, $"{item.Template}: {item.Name}");
                Assert.Null(prompt.LostGeneration);
                if (item.Generation is not null) Assert.Equal(item.Generation, prompt.Generations);
                spans += prompt.Generations.Count;
                rendered++;
            }
        }

        Assert.Equal((16, 560, 29), (TemplateFixtures.Templates().Length, rendered + refused, refused));
        Assert.Equal(105, spans);
    }

    [Fact]
    public void Small_templates_render_as_Jinja2_does()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Templates", "jinja.cases.json")));
        var context = file.RootElement.GetProperty("context").EnumerateObject().ToDictionary(entry => entry.Name, entry => TemplateValue.From(entry.Value));
        var count = 0;
        foreach (var item in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            var text = item.GetProperty("template").GetString()!;
            if (item.TryGetProperty("rendered", out var rendered)) Assert.Equal(rendered.GetString(), ChatTemplate.Parse(text, "t").Render(context).Text);
            else Assert.Throws<TemplateException>(() => ChatTemplate.Parse(text, "t").Render(context));
            count++;
        }

        Assert.Equal(101, count);
    }

    [Theory]
    [InlineData("{{ 'x' * 1000000000 }}")]
    [InlineData("{{ [0] * 1000000000 }}")]
    [InlineData("{{ '%1000000000d' % 1 }}")]
    [InlineData("{{ '{:1000000000}'.format(1) }}")]
    [InlineData("{{ 'a'.center(1000000000) }}")]
    [InlineData("{{ 'a'|indent(1000000000, true) }}")]
    [InlineData("{{ [1]|tojson(indent=1000000000) }}")]
    [InlineData("{{ 2 ** 1000000000 }}")]
    [InlineData("{{ [1]|batch(1000000000, 0)|list }}")]
    [InlineData("{{ [1]|slice(1000000000)|list }}")]
    [InlineData("{{ range(100001) }}")]
    [InlineData("{% set ns = namespace(x='x') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for i in range(10000) %}{% set ns.x = ns.x|select %}{% endfor %}{{ ns.x|list }}")]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [InlineData("{{ 'aaaa'.replace('', 'x' * 5000000) }}")]
    public void Too_much_is_refused(string template) => Assert.StartsWith("t:1: ", Fails(template).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("(")]
    [InlineData("[")]
    [InlineData("not ")]
    [InlineData("-")]
    [InlineData("a[")]
    [InlineData("1 if ")]
    public void Deep_nesting_is_refused(string opening) => Assert.StartsWith("t:1: ", Fails("{{ " + string.Concat(Enumerable.Repeat(opening, 100_000)) + " }}").Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{{ 1", " + 1", " }}")]
    [InlineData("{{ 'a'", "|upper", " }}")]
    [InlineData("{{ a", ".b", " }}")]
    [InlineData("{% filter upper", "|upper", " %}{% endfilter %}")]
    [InlineData("", "{% if a %}", "")]
    public void Long_chains_do_not_break_the_stack(string start, string part, string end)
    {
        try
        {
            Render(start + string.Concat(Enumerable.Repeat(part, 50_000)) + end);
        }
        catch (TemplateException e)
        {
            Assert.StartsWith("t:1: ", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Output_is_bounded() =>
        Assert.Contains("OutputLength", Fails("{% for i in range(100) %}{{ 'x' * 100 }}{% endfor %}", new() { OutputLength = 1000 }).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a\n{{ x.y }}", 2, "'.y'")]
    [InlineData("a\n\n{{ 'a'|nope }}", 3, "filter 'nope'")]
    [InlineData("{% if x %}\n{% endfor %}", 2, "endfor")]
    [InlineData("{% for x in 3 %}{% endfor %}", 1, "for")]
    [InlineData("\n{% include 'a' %}", 2, "include")]
    [InlineData("\n{% import 'a' as b %}", 2, "import")]
    [InlineData("\n{% extends 'a' %}", 2, "extends")]
    [InlineData("{{ raise_exception('no') }}", 1, "call of 'raise_exception'")]
    [InlineData("{% break %}", 1, "break")]
    [InlineData("{# x", 1, "comment")]
    public void Errors_name_line_and_construct(string template, int line, string construct)
    {
        var error = Fails(template);
        Assert.Equal(("t", line, construct), (error.Template, error.Line, error.Construct));
        Assert.Equal(template.Contains("raise_exception", StringComparison.Ordinal), error.RaisedByTemplate);
    }

    [Fact]
    public void An_unknown_filter_may_stand_in_a_branch_that_is_not_reached() => Assert.Equal("a", Render("{% if false %}{{ 1|nope }}{% endif %}a"));

    [Fact]
    public void Names_follow_the_scopes_of_Jinja2()
    {
        Assert.Equal("5", Render("{% macro m() %}{{ q }}{% endmacro %}{% set q = 5 %}{{ m() }}"));
        Assert.Equal("121", Render("{% set q = 1 %}{{ q }}{% with %}{% set q = 2 %}{{ q }}{% endwith %}{{ q }}"));
        Assert.Equal("1|1|0", Render("{% set q = 0 %}{% for i in [1, 2] %}{% set q = q + 1 %}{{ q }}|{% endfor %}{{ q }}"));
        Assert.Equal("[]", Render("{% for i in [1] %}{% block b %}[{{ i }}]{% endblock %}{% endfor %}"));
    }

    [Fact]
    public void Text_marked_safe_escapes_what_is_joined_to_it() => Assert.Equal("&lt;<b>|<<b>", Render("{{ '<' + ('<b>'|safe) }}|{{ '<' ~ ('<b>'|safe) }}"));

    [Fact]
    public void A_mark_in_a_macro_is_found_or_said_to_be_lost()
    {
        Assert.Equal([new TextSpan(1, 3)], ChatTemplate.Parse("{% macro m() %}{% generation %}bc{% endgeneration %}{% endmacro %}a{{ m() }}", "t").Render(new() { Messages = [] }).Generations);
        Assert.Equal(1, ChatTemplate.Parse("{% macro m() %}b{% generation %}c{% endgeneration %}{% endmacro %}a{{ m() }}", "t").Render(new() { Messages = [] }).LostGeneration);
    }

    [Fact]
    public void One_template_renders_in_many_threads()
    {
        var template = ChatTemplate.Parse("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ m.content }}{% endfor %}{{ ns.n }}", "t");
        Parallel.For(0, 200, i => Assert.Equal($"{i}{i}2", template.Render(new()
        {
            Messages = [.. Enumerable.Repeat(TemplateValue.Map([new("content", TemplateValue.Of(i))]), 2)],
        }).Text));
    }
}
