using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Pipeline.Data;

/// <summary>In which words a model is asked: how the policy is shown to it, and how it is asked to answer and to judge.</summary>
/// <param name="Generation">Asks for an answer.</param>
/// <param name="Judging">Asks for a verdict.</param>
/// <param name="Spec">spec(category) as the model reads it; null for a prompt of no category.</param>
/// <param name="CompletionTokens">Most tokens of a completion, where the words say so.</param>
/// <param name="VerdictTokens">Most tokens of a verdict, where the words say so.</param>
internal sealed record ModelWords(IGenerationFormat Generation, IJudgeFormat Judging, Func<string?, Spec> Spec, int? CompletionTokens = null, int? VerdictTokens = null)
{
    /// <summary>The words of a format: "paper", "tagged" (the paper's, with the thought between tags), "safeguard" or "miniature".</summary>
    /// <exception cref="PolicyException">The miniature cannot read the policy, or the policy exceeds the budget.</exception>
    public static ModelWords Of(string format, Policy policy, int specTokens, int seed)
    {
        if (format == "miniature")
        {
            var world = PolicyReading.Read(policy);
            return new(new MiniatureGenerationFormat(), new MiniatureJudgeFormat(),
                Once(category => category is null ? WorldPrompts.Whole(world, policy.Hash, _ => true).Spec : WorldPrompts.Spec(world, policy.Hash, category)), Limits.CompletionTokens, Limits.VerdictTokens);
        }

        return new(new PaperGenerationFormat(tags: format == "tagged"), format == "safeguard" ? new SafeguardJudgeFormat(seed) : new PaperJudgeFormat(seed), Once(category => policy.Spec(category, specTokens)));
    }

    // A specification is long and there are few: each is made once.
    private static Func<string?, Spec> Once(Func<string?, Spec> make)
    {
        var made = new System.Collections.Concurrent.ConcurrentDictionary<string, Spec>();
        return category => made.GetOrAdd(category ?? "", _ => make(category));
    }
}
