using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>
/// Sequences, and which of their tokens are to be predicted. Where libtorch computes the body they are padded on the right: padding
/// comes after every token that counts, so causal attention never sees it.
/// </summary>
internal sealed class PaddedBatch
{
    private readonly IReadOnlyList<int[]> _sequences;
    private readonly List<(int Row, int Position)> _predictors = [];
    private readonly List<long> _targets = [];
    private (Tensor Hidden, long Pass)? _pass;

    /// <summary>Lays out the sequences; <paramref name="counts"/> chooses by sequence and position (never asked for position 0).</summary>
    public PaddedBatch(IReadOnlyList<int[]> sequences, Func<int, int, bool> counts)
    {
        _sequences = sequences;
        Rows = sequences.Count;
        Length = sequences.Max(sequence => sequence.Length);
        for (var row = 0; row < Rows; row++)
            for (var t = 1; t < sequences[row].Length; t++)
            {
                if (!counts(row, t)) continue;
                _predictors.Add((row, t - 1));
                _targets.Add(sequences[row][t]);
            }
    }

    /// <summary>Number of sequences.</summary>
    public int Rows { get; }

    /// <summary>Length of the longest sequence.</summary>
    public int Length { get; }

    /// <summary>How many tokens are predicted (N), sequence by sequence.</summary>
    public int Predicted => _predictors.Count;

    /// <summary>The tokens to predict. -> (N)</summary>
    public Tensor Targets() => tensor(_targets.ToArray());

    /// <summary>Logits where a token is to be predicted; the vocabulary projection is not computed elsewhere. -> (N, vocab)</summary>
    public Tensor Logits(Decoder decoder) => decoder.Logits(Hidden(decoder));

    /// <summary>Adds the gradients of a loss that was made from the last <see cref="Logits"/> or <see cref="LogProbabilities"/> of this decoder.</summary>
    public void Backward(Tensor loss, Decoder decoder)
    {
        loss.backward();
        if (_pass is { } pass) decoder.Host!.Backward(pass.Pass, pass.Hidden);
        _pass = null;
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

    // (N, d)
    private Tensor Hidden(Decoder decoder)
    {
        if (decoder.Host is { } host)
        {
            var pass = host.Forward(_sequences, _predictors);
            _pass = is_grad_enabled() ? pass : null;
            return pass.Hidden;
        }

        var tokens = new long[Rows * Length];
        for (var row = 0; row < Rows; row++)
            for (var t = 0; t < _sequences[row].Length; t++) tokens[row * Length + t] = _sequences[row][t];
        var hidden = decoder.Hidden(tensor(tokens, [Rows, Length])).view(-1, decoder.Config.HiddenSize);
        return hidden.index_select(0, tensor(_predictors.ConvertAll(at => (long)at.Row * Length + at.Position).ToArray()));
    }
}
