using Deliberate.Miniature.World;

namespace Deliberate.Miniature.Prompts;

/// <summary>Draws the prompts that alignment trains on: risky and benign, plain and in the known wrappers, never a held-out one.</summary>
public static class TrainingPrompts
{
    private static readonly RequestSampler.Rates Rates = new(Wrapped: 0.3, Persona: 0.3, Filler: 0.25, FirstTurn: 0.1);

    /// <summary>Draws <paramref name="count"/> requests; <paramref name="benign"/> is the share outside the policy's categories.</summary>
    public static IReadOnlyList<Request> Draw(WorldPolicy policy, int seed, int count, double benign, Side side = Side.Training)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var random = new Random(seed);
        var covered = Suites.Covered(policy);
        var others = Topic.Categories.Except(covered).ToArray();
        var requests = new List<Request>(count);
        // Cells (category x act) in turn, in a shuffled order, so that none is starved by chance.
        var cells = covered.SelectMany(_ => Act.All, (category, act) => (category, act)).ToArray();
        var next = cells.Length;
        while (requests.Count < count)
        {
            Request request;
            if (cells.Length == 0 || (others.Length > 0 && random.NextDouble() < benign))
                request = RequestSampler.DrawUnder(random, policy, RequestSampler.Pick(random, others), Rates, Wrappers.Known, inside: 1);
            else
            {
                if (next == cells.Length)
                {
                    random.Shuffle(cells);
                    next = 0;
                }

                var (category, act) = cells[next++];
                request = Of(random, policy, category, act);
            }

            if (Within(request, side)) requests.Add(request);
        }

        return requests;
    }

    /// <summary>
    /// Draws requests that no clause covers, half of them in a wrapper of any kind: what the model can do and must go on doing.
    /// </summary>
    public static IReadOnlyList<Request> Capability(WorldPolicy policy, int seed, int count, Side side = Side.Training)
    {
        var random = new Random(seed);
        var others = Topic.Categories.Except(Suites.Covered(policy)).ToArray();
        var requests = new List<Request>(count);
        while (others.Length > 0 && requests.Count < count)
        {
            var topic = RequestSampler.Pick(random, Topic.Of(RequestSampler.Pick(random, others)));
            var request = RequestSampler.Draw(random, topic, RequestSampler.Pick(random, Act.All), Rates with { Wrapped = 0.6 });
            if (Within(request, side)) requests.Add(request);
        }

        return requests;
    }

    /// <summary>
    /// Draws requests about any topic to be read and no more. Half of them are reversed, in foreign words or spelled, which is what a model forgets first;
    /// most of the others are in another wrapper.
    /// </summary>
    public static IReadOnlyList<Request> Any(int seed, int count, Side side = Side.Training)
    {
        var random = new Random(seed);
        var requests = new List<Request>(count);
        while (requests.Count < count)
        {
            var encoded = random.Next(2) == 0;
            var request = RequestSampler.Draw(random, RequestSampler.Pick(random, Topic.All), RequestSampler.Pick(random, Act.All),
                Rates with { Wrapped = encoded ? 1 : 0.7, FirstTurn = 0 }, encoded ? Wrappers.HeldOut : Wrappers.Known);
            if (Within(request, side)) requests.Add(request);
        }

        return requests;
    }

    // A first turn is part of what is trained on.
    private static bool Within(Request request, Side side) => PromptSplit.Of(request) == side && (request.FirstTurn is null || PromptSplit.Of(request.FirstTurn) == side);

    private static Request Of(Random random, WorldPolicy policy, string category, Act act)
    {
        while (true)
        {
            var request = RequestSampler.DrawUnder(random, policy, category, Rates, Wrappers.Known, inside: 1);
            if (request.Act == act) return request;
        }
    }
}
