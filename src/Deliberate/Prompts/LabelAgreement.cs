using Deliberate.Evaluation;

namespace Deliberate.Prompts;

/// <summary>How well labels of one category agree with given ones.</summary>
/// <param name="Category">The category.</param>
/// <param name="Precision">Share of the prompts labelled so that were given so.</param>
/// <param name="Recall">Share of the prompts given so that were labelled so.</param>
/// <param name="Kappa">Cohen's kappa of the decision whether a prompt belongs to it.</param>
/// <param name="Given">Prompts that were given so.</param>
/// <param name="Labelled">Prompts that were labelled so.</param>
public sealed record CategoryAgreement(string Category, Metric Precision, Metric Recall, Metric Kappa, int Given, int Labelled);

/// <summary>
/// How well a model's category labels agree with given ones. Prompts without a label are left out and counted as unscored. Intervals are by bootstrap
/// over prompts; kappa is that of Cohen, "A coefficient of agreement for nominal scales", 1960.
/// </summary>
/// <param name="Exact">Share of the prompts whose set of categories is the given one.</param>
/// <param name="Kappa">Kappa over all decisions, one for each prompt and category.</param>
/// <param name="Categories">Agreement on each category, in the order asked for.</param>
public sealed record LabelAgreement(Metric Exact, Metric Kappa, IReadOnlyList<CategoryAgreement> Categories)
{
    /// <summary>Measures agreement.</summary>
    /// <param name="items">Given categories and labels of each prompt.</param>
    /// <param name="categories">The categories that both could choose from.</param>
    /// <param name="bootstrap">Draws the intervals.</param>
    /// <exception cref="ArgumentException">A given category or a label is not among <paramref name="categories"/>.</exception>
    public static LabelAgreement Measure(IReadOnlyList<(IReadOnlyCollection<string> Given, CategoryLabels Labels)> items, IReadOnlyList<string> categories, Bootstrap bootstrap)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(categories);
        ArgumentNullException.ThrowIfNull(bootstrap);
        var columns = categories.Select((name, index) => (name, index)).ToDictionary(column => column.name, column => column.index, StringComparer.Ordinal);
        var scored = items.Where(item => item.Labels.IsLabelled).ToArray();
        var unscored = items.Count - scored.Length;
        var given = scored.Select(item => Row(item.Given)).ToArray();
        var labelled = scored.Select(item => Row(item.Labels.Categories)).ToArray();
        return new(
            bootstrap.Share([.. given.Zip(labelled, (a, b) => a.AsSpan().SequenceEqual(b))], unscored),
            bootstrap.Of(scored.Length, drawn => Kappa(drawn, 0, categories.Count), unscored),
            [.. categories.Select((name, column) => new CategoryAgreement(
                name,
                bootstrap.Share([.. given.Zip(labelled).Where(row => row.Second[column]).Select(row => row.First[column])], unscored),
                bootstrap.Share([.. given.Zip(labelled).Where(row => row.First[column]).Select(row => row.Second[column])], unscored),
                bootstrap.Of(scored.Length, drawn => Kappa(drawn, column, column + 1), unscored),
                given.Count(row => row[column]),
                labelled.Count(row => row[column])))]);

        bool[] Row(IEnumerable<string> names)
        {
            var row = new bool[categories.Count];
            foreach (var name in names)
                row[columns.TryGetValue(name, out var column) ? column : throw new ArgumentException($"'{name}' is none of the categories compared: {string.Join(", ", categories)}.", nameof(items))] = true;
            return row;
        }

        double Kappa(IReadOnlyList<int> drawn, int from, int to)
        {
            var (both, neither, first, second) = (0L, 0L, 0L, 0L);
            foreach (var item in drawn)
                for (var column = from; column < to; column++)
                {
                    var (a, b) = (given[item][column], labelled[item][column]);
                    if (a && b) both++;
                    if (!a && !b) neither++;
                    if (a) first++;
                    if (b) second++;
                }

            var all = (double)drawn.Count * (to - from);
            var chance = ((first * (double)second) + ((all - first) * (all - second))) / (all * all);
            return (((both + neither) / all) - chance) / (1 - chance);
        }
    }
}
