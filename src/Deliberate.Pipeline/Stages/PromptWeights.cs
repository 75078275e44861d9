using Deliberate.Miniature.World;

namespace Deliberate.Pipeline.Stages;

/// <summary>
/// Chooses the prompts of a step of reinforcement learning: those of cells (category, act, kind of user) that were not yet
/// answered perfectly are drawn more often, since a group whose rewards are all equal teaches nothing.
/// </summary>
/// <remarks>Not thread-safe. The same seed and rewards give the same choice.</remarks>
internal sealed class PromptWeights
{
    private const double Floor = 0.08, Memory = 0.6;
    private readonly IReadOnlyList<Request> _pool;
    private readonly int[] _cells;
    private readonly double[] _lack;

    /// <summary>Starts with every cell equally wanted.</summary>
    public PromptWeights(IReadOnlyList<Request> pool)
    {
        _pool = pool;
        var numbers = new Dictionary<(string, string, string), int>();
        _cells = [.. pool.Select(request =>
        {
            var cell = (request.Topic.Category, request.Act.Name, request.Persona is null ? "" : request.Persona.Professional ? "professional" : request.Persona.Name);
            return numbers.TryGetValue(cell, out var number) ? number : numbers[cell] = numbers.Count;
        })];
        _lack = new double[numbers.Count];
        Array.Fill(_lack, 0.5);
    }

    /// <summary>How far each cell is from perfect, for a checkpoint.</summary>
    public double[] State => _lack;

    /// <summary>Draws different requests, as indices into the pool.</summary>
    public int[] Draw(Random random, int count)
    {
        // Efraimidis and Spirakis: the largest keys u^(1/weight) are a weighted sample without replacement.
        return [.. Enumerable.Range(0, _pool.Count)
            .Select(index => (Index: index, Key: Math.Pow(random.NextDouble(), 1 / (Floor + _lack[_cells[index]]))))
            .OrderByDescending(entry => entry.Key).Take(count).Select(entry => entry.Index)];
    }

    /// <summary>Learns from the mean reward of a prompt's group.</summary>
    public void Learn(int index, double meanReward) => _lack[_cells[index]] = Memory * _lack[_cells[index]] + (1 - Memory) * (1 - meanReward);
}
