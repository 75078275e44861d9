using Deliberate.Inference.Models;

namespace Deliberate.Training.Sft;

/// <summary>Which rows each step trains on: a pure function of the rows and the options, so that a step number is a position.</summary>
internal static class SftPlan
{
    /// <summary>The rows of every step, as indices. Each pass is a fixed permutation of the rows that teach something.</summary>
    /// <exception cref="ArgumentException">No row teaches anything.</exception>
    public static IReadOnlyList<int[]> Steps(IReadOnlyList<TokenRow> rows, SftOptions options)
    {
        int[] useful = [.. Enumerable.Range(0, rows.Count).Where(i => rows[i].LossWeights.AsSpan(1).ContainsAnyExcept(0f))];
        if (useful.Length == 0) throw new ArgumentException("No row has a token with a loss weight: there is nothing to learn.", nameof(rows));
        var wanted = (long)Math.Max(1, Math.Round(options.Epochs * useful.Length));
        var (steps, step, taken) = (new List<int[]>(), new List<int>(), 0);
        for (var epoch = 0; wanted > 0; epoch++)
        {
            var order = useful.ToArray();
            if (options.Shuffle) new Random(unchecked(options.Seed * 1_000_003 + epoch)).Shuffle(order);
            foreach (var row in order.Take((int)Math.Min(wanted, order.Length)))
            {
                step.Add(row);
                taken += rows[row].Tokens.Length;
                if (options.RowsPerStep is { } rowsPerStep ? step.Count < rowsPerStep : taken < options.TokensPerStep) continue;
                steps.Add([.. step]);
                step.Clear();
                taken = 0;
            }

            wanted -= order.Length;
        }

        if (step.Count > 0) steps.Add([.. step]);
        return steps;
    }
}
