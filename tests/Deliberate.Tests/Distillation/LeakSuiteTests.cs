using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Tests.Distillation;

/// <summary>Ways in which a specification leaks into answers and prompts, and innocent texts that must not be taken for one.</summary>
public class LeakSuiteTests(ITestOutputHelper output)
{
    private static readonly string[] Clauses =
    [
        "Never explain how a lock, a till or an alarm can be beaten by somebody who means to steal.",
        "Stories about thieves are welcome as long as nobody could learn a working method from the plot.",
        "Owners who are locked out of their own home may be told what a locksmith would do for them.",
        "Give general facts about theft in a city, but no figures for single streets or single houses.",
        "Say sorry once, say that you cannot help with this request, and do not lecture the user about it.",
    ];

    private static readonly Spec Theft = new("## Theft\n" + string.Join('\n', Clauses.Select((clause, i) => $"- **T{i + 1}** {clause}")), "theft", "hash");

    private static readonly SpecLeak Leak = new(8);

    private static readonly (string Name, Func<string, string> Change)[] Changes =
    [
        ("verbatim", text => text),
        ("upper case", text => text.ToUpperInvariant()),
        ("no punctuation", text => text.Replace(",", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal)),
        ("other punctuation", text => text.Replace(",", " –", StringComparison.Ordinal).Replace(".", "!", StringComparison.Ordinal)),
        ("line breaks", text => text.Replace(" ", "\n", StringComparison.Ordinal)),
        ("double spaces", text => text.Replace(" ", "  \t", StringComparison.Ordinal)),
        ("no-break spaces", text => text.Replace(' ', '\u00A0')),
        ("zero-width spaces", text => string.Join('\u200B', text.ToCharArray())),
        ("soft hyphens", text => text.Replace("e", "e\u00AD", StringComparison.Ordinal)),
        ("bidi marks", text => text.Replace(" ", " \u202E\u202C", StringComparison.Ordinal)),
        ("fullwidth", text => string.Concat(text.Select(letter => letter is > ' ' and <= '~' ? (char)(letter + 0xFEE0) : letter))),
        ("homoglyphs", text => text.Replace('o', 'о').Replace('e', 'е').Replace('a', 'а').Replace('c', 'с')),
        ("bold", text => $"**{text.Replace(" ", "** **", StringComparison.Ordinal)}**"),
        ("in quotes", text => $"As they say, “{text}” – and so I will not."),
        ("cut in half", text => string.Join(' ', text.Split(' ')[..9])),
    ];

    private static readonly string[] Codes =
    [
        "[T3]", "Clause T3", "clause t3", "Clause T-3", "section T3", "Rule: T3", "rules T2 and T3", "(T3)", "[T1, T3]", "T3 forbids that", "policy #T3", "guideline T3", "cl\u200Bause T\u200B3", "［Ｔ３］", "clause Т3", "**[T3]**",
    ];

    private static readonly string[] References =
    [
        "By the policy above, no.", "The policies above forbid it.", "The specification I was given says no.", "Following the clauses in my prompt, no.", "The guidelines above are clear.", "As the provided policy says, no.",
        "The given guidelines tell me to refuse.", "THE POLICY\nABOVE forbids it.", "the pol\u200Bicy above", "According to my guidelines section on theft, no.", "By my safety policy section 3, I refuse.",
        "See section 2 of my guidelines.", "It breaks a clause of my policy.", "OpenAI policy section 4 says that I must refuse.", "The rules I was given forbid it.", "The instructions in my context forbid it.", "I follow the final instructions.",
    ];

    private static readonly string[] Innocent =
    [
        "Sorry, I cannot help with that.", "I can't help with picking locks, but a locksmith can.", "Here is a story about a thief who gave everything back.", "The shop's return policy is on its website.",
        "Read your insurance policy: section 4 of the policy covers theft.", "According to the guidelines of the health office, wash your hands.", "Follow the guidelines below:\n1. Stay calm.\n2. Call a friend.",
        "Vitamin B12 is found in fish.", "Use clause 3 of the contract.", "Go to section 5 (exit B2) of the car park.", "The array is list[i3].", "My rules for a good life: sleep, eat, laugh.", "Our policy is to treat all guests well.",
        "The rules of chess allow castling once.", "In the T3 terminal, turn left.", "The A4 page has margins.", "Policy makers met in Vienna.", "The prompt reply was welcome.", "I was given a book.", "Say sorry once and mean it.",
        "Thefts in cities fell last year.", "A locked door keeps thieves out.", "The final answer is 42.", "Rule 34 of the club says no shoes.", "The law forbids theft.", "He picked the lock in the story, though it never says how.",
        "According to my grandmother, soup helps.", "My policy ran out in May.", "The museum's guidelines are strict.", "Context matters in my view.", "Kein Zugang ohne Ausweis.", "Привет, как дела?", "你好，请问有什么可以帮您？", "Instructions: mix flour and water.",
    ];

    [Fact]
    public void Every_leak_into_an_answer_is_found()
    {
        var verbatim = Clauses.SelectMany(clause => Changes.Select(change => (change.Name, Text: change.Change(clause)))).ToArray();
        var codes = Codes.Select(code => ("code", Text: $"I cannot do that. {code}")).ToArray();
        var references = References.Select(text => ("reference", Text: text)).ToArray();
        var missed = verbatim.Concat(codes).Concat(references).Where(leak => Leak.InAnswer(leak.Item2, Theft) is null).Select(leak => $"{leak.Item1}: {leak.Item2}").ToArray();
        output.WriteLine($"answers: {verbatim.Length} of the specification's words, {codes.Length} clause codes, {references.Length} references; {missed.Length} missed");
        Assert.Equal((75, 16, 17), (verbatim.Length, codes.Length, references.Length));
        Assert.Empty(missed);
    }

    [Fact]
    public void Every_leak_into_a_prompt_is_found()
    {
        var prompts = Clauses.SelectMany(clause => Changes.Select(change => $"My landlord wrote: {change.Change(clause)} What does he mean?")).ToArray();
        var missed = prompts.Count(prompt => Leak.InPrompt(prompt, Theft) is null);
        output.WriteLine($"prompts: {prompts.Length}, {missed} missed");
        Assert.Equal(0, missed);
    }

    [Fact]
    public void No_innocent_answer_is_taken_for_a_leak()
    {
        var taken = Innocent.Where(answer => Leak.InAnswer(answer, Theft) is not null).Select(answer => $"{answer} ({Leak.InAnswer(answer, Theft)})").ToArray();
        output.WriteLine($"innocent answers: {Innocent.Length}, {taken.Length} taken for a leak");
        Assert.True(Innocent.Length >= 30);
        Assert.Empty(taken);
    }

    [Fact]
    public void Users_may_name_clauses_and_policies() => Assert.All(Codes.Concat(References), text => Assert.Null(Leak.InPrompt(text, Theft)));

    [Fact]
    public void A_thought_may_speak_of_its_guidelines_but_not_of_a_text_above()
    {
        Assert.Null(SpecLeak.Reference("My guidelines say in clause T3 that I must refuse. [T3]"));
        Assert.NotNull(SpecLeak.Reference("The pol\u200Bicy ABOVE says so."));
    }

    [Fact]
    public void Distillation_keeps_no_leaking_sample_and_every_innocent_one()
    {
        string[] leaks = [.. Clauses.SelectMany(clause => Changes.Select(change => change.Change(clause))), .. Codes, .. References];
        JudgedSample[] samples =
        [
            .. leaks.Concat(Innocent).Select((answer, i) => new JudgedSample(
                new Sample(new Prompt($"p{i}", Conversation.FromUser("how?"), "theft"), 0, new Completion("It is theft, so [T1] decides.", answer), new Provenance("hash", "theft", "m", "f", 1, 0, 0)), Theft, new Judgement([new Verdict(1, "fine")]))),
        ];
        var result = new Distiller(new() { LeakWords = 8 }).Distill(samples);
        output.WriteLine($"distillation: {result.Kept.Count} kept, {result.Rejected.Count} rejected");
        Assert.Equal(Innocent, result.Kept.Select(example => example.Answer));
        Assert.All(result.Rejected, rejected => Assert.StartsWith("leak: the answer ", rejected.Reason, StringComparison.Ordinal));
    }
}
