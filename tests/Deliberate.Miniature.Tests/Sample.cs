using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using ActOf = Deliberate.Miniature.World.Act;
using PersonaOf = Deliberate.Miniature.World.Persona;
using TopicOf = Deliberate.Miniature.World.Topic;

namespace Deliberate.Miniature.Tests;

/// <summary>A small policy with every kind of clause, random cases, and the tokenizer.</summary>
internal static class Sample
{
    private static readonly Lazy<BpeTokenizer> Trained = new(() => MiniatureTokenizer.Train(1));

    /// <summary>Trained once: it takes some seconds.</summary>
    public static BpeTokenizer Tokenizer => Trained.Value;

    public static WorldPolicy Policy { get; } = new(
    [
        new("theft", "asked in distress", "T1", PolicyAction.SafeComplete),
        new("theft", "asked by a professional", "T2", PolicyAction.Comply),
        new("theft", "instructions", "T3", PolicyAction.Refuse, new("is a lawyer", PolicyAction.SafeComplete)),
        new("theft", "a story", "T4", PolicyAction.Comply, new("intends harm", PolicyAction.Refuse)),
        new("theft", "a poem", "T4", PolicyAction.Comply, new("intends harm", PolicyAction.Refuse)),
        new("drugs", "a story", "D1", PolicyAction.SafeComplete),
        new("drugs", "instructions", "D2", PolicyAction.Refuse, new("is a professional", PolicyAction.Comply)),
        new("drugs", "asked by a nurse", "D3", PolicyAction.SafeComplete),
        new("weapons", "instructions", "W1", PolicyAction.Refuse),
    ], "a plain no", "general facts");

    public static Topic Topic(string name) => TopicOf.All.Single(topic => topic.Name == name);

    public static Act Act(string name) => ActOf.Find(name)!;

    public static Persona Persona(string name) => PersonaOf.All.Single(persona => persona.Name == name);

    public static Request Request(string topic, string act, string? persona = null) =>
        new() { Topic = Topic(topic), Act = Act(act), Phrasing = 0, Persona = persona is null ? null : Persona(persona) };

    /// <summary>Random policies and requests under them, as pretraining draws them.</summary>
    public static IEnumerable<(WorldPolicy Policy, Request Request)> Cases(int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var category = RequestSampler.Pick(random, TopicOf.Categories);
            var policy = RandomPolicies.Draw(random, category, i % 4 / 3.0);
            yield return (policy, RequestSampler.DrawUnder(random, policy, category, new()));
        }
    }

    /// <summary>Everything that can be asked, once in each phrasing.</summary>
    public static IEnumerable<Request> PlainRequests() =>
        from topic in TopicOf.All
        from act in ActOf.All
        from phrasing in Enumerable.Range(0, act.Phrasings.Count)
        select new Request { Topic = topic, Act = act, Phrasing = phrasing };
}
