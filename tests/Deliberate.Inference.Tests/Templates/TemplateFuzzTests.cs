using CsCheck;
using Deliberate.Inference.Templates;
using Xunit;

namespace Deliberate.Inference.Tests.Templates;

public class TemplateFuzzTests
{
    private static readonly string[] Seeds =
    [
        "{%- set ns = namespace(a=1, b=[]) -%}\n{% for m in messages if m.role != 'x' recursive %}{{ loop.index ~ m['content']|trim }}{% set ns.a = ns.a + loop.index0 %}{% else %}none{% endfor %}{{ ns.a }}",
        "{% macro f(a, b='x', c=none) %}<{{ a }}-{{ b|upper }}>{{ caller() if caller else '' }}{% endmacro %}{% call f(1, c=2) %}{{ messages[0].content[::-1] }}{% endcall %}{{ f(*[1, 2], **{'c': 3}) }}",
        "{{ messages|map(attribute='role')|join(', ')|replace('a', 'b') }}{{ messages|selectattr('role', 'equalto', 'user')|list|tojson(indent=2) }}{{ '%5.2f|%s' % (1.5, 'x') }}{{ '{0:>5}{a!r}'.format(1, a=2) }}",
        "{% if messages and messages[0].role in ['user', 'system'] and not tools %}{% generation %}{{ messages[-1].content.split('</think>')[-1].lstrip('\\n') }}{% endgeneration %}{% elif 4 is divisibleby(3) %}{% else %}{{ raise_exception('no') }}{% endif %}",
        "{% set t %}{% filter upper %}a{{ 3 ** 2 // 4 % 3 }}{% endfilter %}{% endset %}{{ t }}{% raw %}{{ x }}{% endraw %}{# c #}{{ {'a': [1, 2.5, none, true]}|dictsort }}{{ messages|groupby('role')|map('first')|list }}{{ 'a b'.title().center(9, '*') }}",
    ];

    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{%-", "-%}", "{#", "#}", "{% endif %}", "{% endfor %}", "{% for i in range(99999) %}", "{% if a %}", "{% set a = [a, a] %}", "{% break %}", "(", ")", "[", "]", "{", "}", ",", ":", "|", "~", "*",
        "**", "//", "%", "-", "not ", " is ", " in ", " if ", " else ", "loop", "loop(messages)", "messages", "self", "''", "'a'", "\"", "'", "\\", "1", "1e308", "9999999999", "-1", "0", "none", ".x", "|list", "|tojson", "|sort", "|map('list')",
        "|int", "|round(3)", "|batch(2)", "|join", "|indent(99999)", ".split", "()", ".format(1)", "::-1", " * 99999", "é", "🙂", "\ud800", "\0", "\n", "namespace()", "__class__",
    ];

    [Fact]
    public void A_mutated_template_renders_or_fails_with_one_error() => Fuzz(3000, 1);

    [Fact(Explicit = true)]
    public void A_hundred_thousand_mutated_templates_render_or_fail_with_one_error()
    {
        var (rendered, refused) = Fuzz(100_000, 2);
        TestContext.Current.SendDiagnosticMessage($"{rendered} rendered, {refused} refused");
        Assert.Equal(100_000, rendered + refused);
    }

    /// <summary>Mutates templates and renders them: the numbers that rendered and that were refused. Anything but a <see cref="TemplateException"/> escapes.</summary>
    internal static (int Rendered, int Refused) Fuzz(int count, int seed)
    {
        var random = new Random(seed);
        var (rendered, refused) = (0, 0);
        var limits = new TemplateLimits { Steps = 100_000, TextLength = 1 << 18, OutputLength = 1 << 20, Elements = 1 << 16 };
        TemplateInput input = new()
        {
            Messages = [.. new[] { "user", "assistant", "user" }.Select(role => TemplateValue.Map([new("role", TemplateValue.Of(role)), new("content", TemplateValue.Of($"a</think>\n{role} 🙂"))]))],
            Limits = limits,
            Time = TemplateFixtures.Clock,
        };
        for (var i = 0; i < count; i++)
        {
            var text = Seeds[random.Next(Seeds.Length)];
            for (var change = random.Next(1, 5); change > 0; change--)
            {
                var (from, to) = (random.Next(text.Length + 1), random.Next(text.Length + 1));
                if (from > to) (from, to) = (to, from);
                to = Math.Min(to, from + random.Next(12));
                text = random.Next(4) switch
                {
                    0 => text.Remove(from, to - from),
                    1 => text.Insert(from, Pieces[random.Next(Pieces.Length)]),
                    2 => text.Remove(from, to - from).Insert(from, Pieces[random.Next(Pieces.Length)]),
                    _ => text.Insert(random.Next(text.Length + 1), text[from..to]),
                };
            }

            try
            {
                ChatTemplate.Parse(text, "t", limits).Render(input);
                rendered++;
            }
            catch (TemplateException e)
            {
                Assert.StartsWith("t:", e.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
#pragma warning disable CA1031 // the template that broke it is what the failure must show
            catch (Exception e)
            {
                Assert.Fail($"{e.GetType().Name} from {text}\n{e}");
            }
#pragma warning restore CA1031
        }

        return (rendered, refused);
    }

    [Fact]
    public void Any_text_without_tags_is_itself() => Gen.String[Gen.Char["ab \t<>'\"\\é#%}"], 0, 40].Sample(text =>
        Assert.Equal(text, ChatTemplate.Parse(text, "t").Render(new() { Messages = [] }).Text), iter: 500);

    [Fact]
    public void Json_survives_tojson() => Json.Sample(value =>
    {
        var text = ChatTemplate.Parse("{{ v|tojson }}", "t").Render(new() { Messages = [], Variables = new Dictionary<string, TemplateValue> { ["v"] = value } }).Text;
        using var document = System.Text.Json.JsonDocument.Parse(text);
        Assert.Equal(value.ToString(), TemplateValue.From(document.RootElement).ToString());
    }, iter: 500);

    [Fact]
    public void Slices_are_those_of_their_definition() => Gen.Select(Gen.Int[0, 8], Gen.Int[-12, 12], Gen.Int[-12, 12], Gen.Int[-4, 4]).Sample((length, from, to, by) =>
    {
        if (by == 0) return;
        var letters = "a🙂cdéfgh".EnumerateRunes().Take(length).Select(rune => rune.ToString()).ToArray();
        var (start, end) = by > 0 ? (Bound(from, 0, length), Bound(to, 0, length)) : (Bound(from, -1, length - 1), Bound(to, -1, length - 1));
        var expected = "";
        for (var i = start; by > 0 ? i < end : i > end; i += by) expected += letters[i];
        Assert.Equal(expected, ChatTemplate.Parse($"{{{{ v[{from}:{to}:{by}] }}}}", "t").Render(new() { Messages = [], Variables = new Dictionary<string, TemplateValue> { ["v"] = TemplateValue.Of(string.Concat(letters)) } }).Text);

        int Bound(int place, int low, int high) => Math.Clamp(place < 0 ? place + length : place, low, high);
    }, iter: 2000);

    private static readonly Gen<TemplateValue> Json = Gen.Recursive<TemplateValue>((depth, inner) => depth > 3
        ? Leaf
        : Gen.OneOf(Leaf, inner.Array[0, 4].Select(TemplateValue.List), Gen.Select(Gen.String[0, 5], inner).Array[0, 4].Select(entries => TemplateValue.Map(entries.Select(entry => new KeyValuePair<string, TemplateValue>(Whole(entry.Item1), entry.Item2))))));

    private static Gen<TemplateValue> Leaf => Gen.OneOf(Gen.Const(TemplateValue.None), Gen.Bool.Select(TemplateValue.Of), Gen.Long.Select(TemplateValue.Of), Gen.Double[-1e300, 1e300].Select(TemplateValue.Of), Gen.String[0, 20].Select(text => TemplateValue.Of(Whole(text))));

    /// <summary>Text without halves of surrogate pairs, which JSON readers refuse.</summary>
    private static string Whole(string text) => string.Concat(text.Where(letter => !char.IsSurrogate(letter)));
}
