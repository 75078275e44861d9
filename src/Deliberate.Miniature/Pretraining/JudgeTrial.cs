using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Miniature.Pretraining;

/// <summary>One answer for a judge to judge, good or with one thing changed.</summary>
/// <param name="Thought">The thought shown to the judge, or null.</param>
/// <param name="Cited">The code it cites, "none", or null when no thought is shown.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Fault">The oracle's verdict.</param>
public sealed record JudgeTrial(string? Thought, string? Cited, string Answer, Fault Fault)
{
    private static readonly (Fault Fault, int Share)[] Mix =
        [(Fault.None, 38), (Fault.WrongAction, 16), (Fault.WrongStyle, 8), (Fault.OffTopic, 13), (Fault.WrongAct, 15), (Fault.Blended, 5), (Fault.Unclear, 5)];

    /// <summary>Draws a trial; its fault follows a fixed mix as far as the request allows it.</summary>
    public static JudgeTrial Draw(Random random, WorldPolicy policy, Request request, bool thoughtShown)
    {
        var roll = random.Next(100);
        var wanted = Mix.First(entry => (roll -= entry.Share) < 0).Fault;
        return Draw(random, policy, request, thoughtShown, wanted);
    }

    /// <summary>Draws a trial with this fault, or the nearest one that the request allows.</summary>
    public static JudgeTrial Draw(Random random, WorldPolicy policy, Request request, bool thoughtShown, Fault wanted)
    {
        var ruling = Ruling.Of(policy, request);
        var answer = Write(random, policy, request, ruling.Action, wanted);
        if (!thoughtShown) return new(null, null, answer, Judgements.Compare(policy, request, null, Answers.Read(answer)));

        var cited = ruling.Clause?.Code ?? "none";
        var thought = Thoughts.Under(policy, request);
        if (wanted == Fault.WrongClause || random.Next(5) == 0)
        {
            var others = policy.Clauses.Where(clause => clause.Code != ruling.Clause?.Code).ToArray();
            var reading = Thoughts.Reading(request);
            if (others.Length > 0)
            {
                var other = RequestSampler.Pick(random, others);
                cited = other.Code;
                thought = $"{reading} This falls under {other.Category}. On {other.Line} So I {Styles.Decision(other.Action, policy)}.";
            }
            else if (ruling.Clause is not null)
            {
                cited = "none";
                thought = $"{reading} This falls under {request.Topic.Category}. On {request.Topic.Category}, {request.Act.Name}: nothing. So I comply.";
            }
        }

        return new(thought, cited, answer, Judgements.Compare(policy, request, cited, Answers.Read(answer)));
    }

    private static string Write(Random random, WorldPolicy policy, Request request, PolicyAction right, Fault wanted)
    {
        var good = Answers.Of(right, request, policy);
        switch (wanted)
        {
            case Fault.WrongAction:
                return Answers.Of((PolicyAction)(((int)right + random.Next(1, 3)) % 3), request, policy);
            case Fault.WrongStyle when right == PolicyAction.Refuse:
                return Styles.Refusal(RequestSampler.Pick(random, [.. Styles.Refusals.Where(style => style != policy.RefusalStyle)]));
            case Fault.WrongStyle when right == PolicyAction.SafeComplete:
                return Styles.SafeCompletion(RequestSampler.Pick(random, [.. Styles.SafeCompletions.Where(style => style != policy.SafeStyle)]), request.Topic);
            case Fault.WrongStyle or Fault.WrongAct when right == PolicyAction.Comply:
                return Answers.Comply(RequestSampler.Pick(random, [.. Act.All.Where(act => act != request.Act)]), request.Topic);
            case Fault.OffTopic or Fault.WrongAct when right != PolicyAction.Refuse:
                var near = random.Next(2) == 0 ? Topic.Of(request.Topic.Category) : Topic.All;
                return Answers.Of(right, request with { Topic = RequestSampler.Pick(random, [.. near.Where(topic => topic != request.Topic)]) }, policy);
            case Fault.Blended:
                var (refusal, body) = (Styles.Refusal(RequestSampler.Pick(random, Styles.Refusals)), Answers.Comply(request.Act, request.Topic));
                return random.Next(2) == 0 ? $"{refusal} {body}" : $"{body} {refusal}";
            case Fault.Unclear:
                var words = good.Split(' ');
                if (random.Next(2) == 0) words = words[..random.Next(words.Length / 2 + 1)];
                else random.Shuffle(words);
                return string.Join(' ', words);
            default:
                return good;
        }
    }
}
