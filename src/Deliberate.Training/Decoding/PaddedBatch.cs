using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>
/// Sequences padded on the right, and which of their tokens are to be predicted. Padding comes after every token that counts, so
/// causal attention never sees it.
/// </summary>
internal sealed class PaddedBatch
{
    private readonly long[] _tokens;
    private readonly List<long> _positions = [], _targets = [];

    /// <summary>Lays out the sequences; <paramref name="counts"/> chooses by sequence and position (never asked for position 0).</summary>
    public PaddedBatch(IReadOnlyList<int[]> sequences, Func<int, int, bool> counts)
    {
        Rows = sequences.Count;
        Length = sequences.Max(sequence => sequence.Length);
        _tokens = new long[Rows * Length];
        for (var row = 0; row < Rows; row++)
            for (var t = 0; t < sequences[row].Length; t++)
            {
                _tokens[row * Length + t] = sequences[row][t];
                if (t == 0 || !counts(row, t)) continue;
                _positions.Add(row * Length + t - 1);
                _targets.Add(sequences[row][t]);
            }
    }

    /// <summary>Number of sequences.</summary>
    public int Rows { get; }

    /// <summary>Length of the longest sequence.</summary>
    public int Length { get; }

    /// <summary>How many tokens are predicted (N), sequence by sequence.</summary>
    public int Predicted => _positions.Count;

    /// <summary>The tokens to predict. -> (N)</summary>
    public Tensor Targets() => tensor(_targets.ToArray());

    /// <summary>Logits where a token is to be predicted; the vocabulary projection is not computed elsewhere. -> (N, vocab)</summary>
    public Tensor Logits(Decoder decoder)
    {
        var hidden = decoder.Hidden(tensor(_tokens, [Rows, Length])).view(-1, decoder.Config.HiddenSize);
        return decoder.Logits(hidden.index_select(0, tensor(_positions.ToArray())));
    }

    /// <summary>Log-probability of each predicted token, and of the whole vocabulary there. -> (N), (N, vocab)</summary>
    public (Tensor Chosen, Tensor All) LogProbabilities(Decoder decoder, double temperature)
    {
        var logits = Logits(decoder);
        var all = F.log_softmax(temperature == 1 ? logits : logits / temperature, -1);
        return (all.gather(1, Targets().unsqueeze(1)).squeeze(1), all);
    }

    /// <summary>Sequences of similar length together, at most <paramref name="maxTokens"/> padded tokens a group (one always fits).</summary>
    public static List<T[]> Group<T>(IEnumerable<T> sequences, Func<T, int> length, int maxTokens)
    {
        var groups = new List<T[]>();
        var current = new List<T>();
        foreach (var sequence in sequences.OrderByDescending(length))
        {
            if (current.Count > 0 && (current.Count + 1) * length(current[0]) > maxTokens)
            {
                groups.Add([.. current]);
                current.Clear();
            }

            current.Add(sequence);
        }

        if (current.Count > 0) groups.Add([.. current]);
        return groups;
    }
}
