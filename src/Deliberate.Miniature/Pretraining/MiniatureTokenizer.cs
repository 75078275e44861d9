using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Miniature.Pretraining;

/// <summary>Trains the miniature's tokenizer on text of its own world.</summary>
public static class MiniatureTokenizer
{
    /// <summary>Size of the vocabulary.</summary>
    public const int VocabularySize = 2048;

    /// <summary>
    /// Clause codes that are one token each, with the space and bracket before them: A1 to Z14. A code in several tokens must be
    /// copied piece by piece and is where small models err most.
    /// </summary>
    public static IEnumerable<string> WholeCodes =>
        from letter in Enumerable.Range('A', 26) from number in Enumerable.Range(1, MaxCode) select $" [{(char)letter}{number}";

    /// <summary>Largest number of a code that is one token.</summary>
    public const int MaxCode = 14;

    /// <summary>
    /// What stands behind a clause's code, one token each: "]: refuse.", "]: refuse, unless the user is a nurse: comply.". A code
    /// stands in one line only, so what follows it can be looked up by it; what follows a "refuse" cannot.
    /// </summary>
    public static IEnumerable<string> WholeRules =>
        from being in Persona.All.Select(persona => persona.Being).Append(Persona.ProfessionalBeing).Prepend(null)
        from action in Enum.GetValues<PolicyAction>()
        from other in Enum.GetValues<PolicyAction>()
        where being is null ? other == action : other != action
        select WorldClause.Rule(action, being is null ? null : new(being, other));

    /// <summary>
    /// The names of the world and its fixed turns of phrase, one token each: what a thought looks up or compares is then one
    /// token against one token, and thoughts are half as long. Everything else is spelled by pieces.
    /// </summary>
    public static IEnumerable<string> WholeNames =>
        ((IEnumerable<string>)[
            .. Topic.All.Select(topic => topic.Name), .. Topic.Categories, .. Topic.Categories.Select(category => category + ","), .. Act.All.Select(act => act.Name),
            .. Persona.All.Select(persona => persona.Being), Persona.ProfessionalBeing, .. Persona.All.Select(persona => persona.ClauseTitle), WorldPolicy.ProfessionalTitle,
            .. Styles.Refusals, .. Styles.SafeCompletions, .. Enum.GetValues<PolicyAction>().Select(action => action.ToText()),
            "This falls under", "The user", "asks for", "So I", "No policy is given.", "Cited:", "Action:", "Style:", "Act:", "Topic:", "[none",
        ]).Select(name => " " + name)
        .Concat([": same.", ": differ.", "]: same.", "]: differ.", "],", ": nothing.", "\n-", "The user", "Behind the", ", the user", ", unless the user", ", so the exception holds:", ", so the exception does not hold:",
            "Policy. Refuse with", ". Safe-complete with", "Judge this. Request: \"", "\" Thought: \"", "\" Answer: \""]);

    /// <summary>Trains it; the same seed gives the same tokenizer.</summary>
    public static BpeTokenizer Train(int seed) => BpeTrainer.Train(Corpus(seed), VocabularySize, Transcript.SpecialTokens, [.. WholeCodes, .. WholeRules, .. WholeNames.Distinct()]);

    private static IEnumerable<string> Corpus(int seed)
    {
        var random = new Random(seed);
        var rates = new RequestSampler.Rates(Wrapped: 0.4, Persona: 0.3);
        // Every topic and every word of the made-up language, often enough to become few tokens.
        for (var round = 0; round < 12; round++)
            foreach (var topic in Topic.All)
                yield return $"about {topic.Name}. the {topic.Foreign}";
        // The rest of the world's fixed wording.
        for (var round = 0; round < 40; round++)
        {
            foreach (var fault in Enum.GetValues<Fault>()) yield return Judgements.Verdict(fault);
            foreach (var act in Act.All)
                foreach (var text in act.Phrasings.Append(act.Answer).Append(act.Foreign))
                    yield return text.Replace("{t}", "it", StringComparison.Ordinal);
            foreach (var text in Request.Fillers.Concat(Persona.All.SelectMany(persona => persona.Phrasings.Append(persona.Being).Append(persona.ClauseTitle))))
                yield return text.Replace("{r}", "it", StringComparison.Ordinal);
        }

        for (var i = 0; i < 12_000; i++)
        {
            var category = RequestSampler.Pick(random, Topic.Categories);
            var policy = RandomPolicies.Draw(random, category, 1);
            if (i % 4 == 0) yield return policy.Render([.. policy.Clauses.Select(clause => clause.Category).Distinct()]);
            var request = RequestSampler.Draw(random, RequestSampler.Pick(random, Topic.Of(category)), RequestSampler.Pick(random, Act.All), rates);
            yield return request.Text;
            if (i % 4 == 0) yield return char.ToUpperInvariant(request.Text[0]) + request.Text[1..];
            yield return Thoughts.Under(policy, request);
            yield return Thoughts.Free(request);
            yield return Judgements.Verdict((Fault)(i % 8));
            yield return Answers.Right(request, policy);
            var trial = JudgeTrial.Draw(random, policy, request, thoughtShown: i % 3 == 0);
            yield return Judgements.Ask(request.Text, trial.Thought, trial.Answer);
            yield return Judgements.Thought(policy, request, trial.Cited, Answers.Read(trial.Answer));
        }
    }
}
