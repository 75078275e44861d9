namespace Deliberate.Inference.Generation;

/// <summary>Which rows of a pass are attended together: those whose texts begin in the same run.</summary>
internal sealed class AttentionTiles
{
    private readonly int[] _rows = new int[ForwardPass.MaxRows * Attention.MostRows];
    private readonly int[] _counts = new int[ForwardPass.MaxRows];
    private readonly Dictionary<KeyValues, int> _open = [];

    /// <summary>The rows of a tile.</summary>
    public ReadOnlySpan<int> this[int tile] => _rows.AsSpan(tile * Attention.MostRows, _counts[tile]);

    /// <summary>Shares the rows out.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="most">Most rows of a tile; <see cref="Attention.MostRows"/> bounds it too.</param>
    /// <returns>How many tiles there are.</returns>
    public int Cut(ReadOnlySpan<PassRow> rows, int most)
    {
        most = Math.Clamp(most, 1, Attention.MostRows);
        _open.Clear();
        var tiles = 0;
        for (var r = 0; r < rows.Length; r++)
        {
            var root = rows[r].Run;
            while (root.Parent is { } parent) root = parent;
            if (!_open.TryGetValue(root, out var tile) || _counts[tile] == most)
            {
                _open[root] = tile = tiles++;
                _counts[tile] = 0;
            }

            _rows[tile * Attention.MostRows + _counts[tile]++] = r;
        }

        return tiles;
    }
}
