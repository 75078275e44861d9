using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;

namespace Deliberate.Miniature.Pretraining;

/// <summary>
/// The pretraining corpus, made on the fly. A row holds one random policy and several exchanges under it (each policy read is
/// paid for once and used several times), or exchanges without any policy. Row <c>i</c> depends on the seed, <c>i</c> and the
/// progress of the run alone.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed class PretrainingRows(BpeTokenizer tokenizer, int seed, IReadOnlySet<string>? reserved = null, int maxTokens = 1000)
{
    private const double DrillShare = 0.2, LateDrillShare = 0.15, PolicyShare = 0.78, LatePolicyShare = 0.8;
    private readonly CopyDrills _copies = new(tokenizer);
    private static readonly RequestSampler.Rates UnderPolicy = new(Wrapped: 0.3, Persona: 0.3);
    private static readonly RequestSampler.Rates Unwrapping = new(Wrapped: 0.6, Persona: 0.3);

    /// <summary>The row with this index.</summary>
    /// <param name="index">Index, from 0.</param>
    /// <param name="progress">Share of the run that is over, 0..1: policies grow with it.</param>
    public TokenRow Row(long index, double progress)
    {
        var random = new Random(HashCode(seed, index));
        if (CopyDrills.Share(progress) > new Random(HashCode(seed + 1, index)).NextDouble()) return _copies.Row(random);
        return random.NextDouble() < (progress < 1 ? PolicyShare : LatePolicyShare) ? PolicyRow(random, progress) : FreeRow(random);
    }

    /// <summary>The policy of the row with this index, or null for a row without one.</summary>
    public WorldPolicy? Policy(long index, double progress)
    {
        var random = new Random(HashCode(seed, index));
        if (CopyDrills.Share(progress) > new Random(HashCode(seed + 1, index)).NextDouble()) return null;
        return random.NextDouble() < (progress < 1 ? PolicyShare : LatePolicyShare) ? DrawPolicy(random, progress).Policy : null;
    }

    private (WorldPolicy Policy, string Category) DrawPolicy(Random random, double progress)
    {
        while (true)
        {
            var category = RequestSampler.Pick(random, Topic.Categories);
            var policy = RandomPolicies.Draw(random, category, progress);
            if (reserved is null || !policy.Clauses.GroupBy(clause => clause.Category).Any(group => reserved.Contains(ClauseSet(group)))) return (policy, category);
        }
    }

    /// <summary>Names a set of clauses of one category, whatever their order: what must not occur in pretraining.</summary>
    public static string ClauseSet(IEnumerable<WorldClause> clauses) =>
        string.Join('\n', clauses.Select(clause => clause.Line).Order(StringComparer.Ordinal));

    private TokenRow PolicyRow(Random random, double progress)
    {
        var (policy, category) = DrawPolicy(random, progress);
        // Now and then only the styles stand in context, as for a prompt without a category.
        var bare = random.Next(30) == 0;
        if (bare) policy = policy with { Clauses = [] };
        var transcript = new Transcript(tokenizer) { QuoteWeight = 4 }.System(policy.Render([.. policy.Clauses.Select(clause => clause.Category).Distinct()]));
        if (!bare && random.NextDouble() < (progress < 0.1 ? 0.6 : progress < 1 ? DrillShare : LateDrillShare)) return Drill(random, transcript, policy);
        var covered = policy.Clauses.Select(clause => clause.Category).Distinct().ToArray();
        var slots = policy.Clauses.Count < 5 ? 8 : 7;
        for (var slot = 0; slot < slots && transcript.Length < maxTokens - 190; slot++)
        {
            var request = RequestSampler.DrawUnder(random, policy, covered.Length > 2 ? RequestSampler.Pick(random, covered) : category, UnderPolicy);
            if (random.NextDouble() < (progress < 0.1 ? 0.2 : 0.4)) Judge(random, transcript, policy, request);
            else Exchange(random, transcript, request, Thoughts.Under(policy, request), Answers.Right(request, policy));
        }

        return transcript.ToRow();
    }

    // Looking up clauses by themselves, many in a row: what following and judging both rest on.
    private static TokenRow Drill(Random random, Transcript transcript, WorldPolicy policy)
    {
        var covered = policy.Clauses.Select(clause => clause.Category).Distinct().ToArray();
        for (var slot = 0; slot < 12; slot++)
        {
            var clause = RequestSampler.Pick(random, policy.Clauses);
            var key = (clause.Category, clause.Subject);
            if (random.Next(5) == 0) key = (RequestSampler.Pick(random, covered), RequestSampler.Pick(random, Act.All).Name);
            var found = policy.Clauses.FirstOrDefault(line => (line.Category, line.Subject) == key);
            transcript.User($"On {key.Item1}, {key.Item2}?")
                .Assistant("", found is null ? $"On {key.Item1}, {key.Item2}: nothing." : $"On {found.Line}");
        }

        return transcript.ToRow();
    }

    private TokenRow FreeRow(Random random)
    {
        var transcript = new Transcript(tokenizer) { QuoteWeight = 4 };
        var direct = random.Next(2) == 0;
        for (var slot = 0; slot < 6 && transcript.Length < maxTokens - 190; slot++)
        {
            var request = RequestSampler.Draw(random, RequestSampler.Pick(random, Topic.All), RequestSampler.Pick(random, Act.All), Unwrapping);
            Exchange(random, transcript, request, direct ? "" : Thoughts.Free(request), Answers.Comply(request.Act, request.Topic));
        }

        return transcript.ToRow();
    }

    private static void Exchange(Random random, Transcript transcript, Request request, string thought, string answer)
    {
        if (request.FirstTurn is { } first) transcript.User(first.Text).Earlier(Answers.Comply(first.Act, first.Topic));
        transcript.User(Surface(random, request)).Assistant(thought, answer);
    }

    private static void Judge(Random random, Transcript transcript, WorldPolicy policy, Request request)
    {
        var trial = JudgeTrial.Draw(random, policy, request, thoughtShown: random.Next(3) == 0);
        transcript.User(Judgements.Ask(Surface(random, request), trial.Thought, trial.Answer))
            .Assistant(Judgements.Thought(policy, request, trial.Cited, Answers.Read(trial.Answer)), Judgements.Verdict(trial.Fault));
    }

    // People also write capitals and full stops, and leave articles out.
    private static string Surface(Random random, Request request)
    {
        var text = request.Text;
        var bare = request.Topic.Name[(request.Topic.Name.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        if (random.Next(16) == 0 && request.Topic.Name.Split(' ')[0] is "a" or "an") text = text.Replace($" {request.Topic.Name}", $" {bare}", StringComparison.Ordinal);
        return random.Next(8) switch
        {
            0 => char.ToUpperInvariant(text[0]) + text[1..] + (random.Next(2) == 0 ? "." : "?"),
            1 => text + (random.Next(2) == 0 ? "." : "?"),
            _ => text,
        };
    }

    // A stable mix of seed and index (splitmix64), the same on every run and machine.
    private static int HashCode(int seed, long index)
    {
        var z = unchecked((ulong)seed * 0x9E3779B97F4A7C15UL + (ulong)index + 0x632BE59BD9B4E019UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return unchecked((int)(z ^ (z >> 31)));
    }
}
