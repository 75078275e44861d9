using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>
/// Sequences, and which of their tokens are to be predicted. Where libtorch computes the body they are either padded on the right
/// (padding comes after every token that counts, so causal attention never sees it) or packed into one sequence, each with positions and
/// attention of its own.
/// </summary>
internal sealed class SequenceBatch
{
    private readonly IReadOnlyList<int[]> _sequences;
    private readonly bool _packed;
    private readonly List<(int Row, int Position)> _predictors = [];
    private readonly List<long> _targets = [];
    private Action? _pending;

    /// <summary>Lays out the sequences; <paramref name="counts"/> chooses by sequence and position (never asked for position 0).</summary>
    public SequenceBatch(IReadOnlyList<int[]> sequences, Func<int, int, bool> counts, bool packed = false)
    {
        (_sequences, _packed) = (sequences, packed);
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
    public Tensor Targets(Decoder decoder) => tensor(_targets.ToArray(), device: decoder.Device);

    /// <summary>Logits where a token is to be predicted; the vocabulary projection is not computed elsewhere. -> (N, vocab)</summary>
    public Tensor Logits(Decoder decoder) => decoder.Logits(Forward(decoder, leaf: false).Hidden);

    /// <summary>Adds the gradients of a loss that was made from the last <see cref="Logits"/> or <see cref="LogProbabilities"/>.</summary>
    public void Backward(Tensor loss)
    {
        loss.backward();
        _pending?.Invoke();
        _pending = null;
    }

    /// <summary>Adds the gradients of the weighted loss over <paramref name="total"/>; returns the weighted sum of losses.</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="weights">How much each predicted token counts. (N)</param>
    /// <param name="total">What the loss is divided by.</param>
    public double Learn(Decoder decoder, float[] weights, double total)
    {
        var factors = tensor(weights, device: decoder.Device);
        if (!ChunkedHead.IsNeeded(Predicted, decoder))
        {
            var sum = (F.cross_entropy(Logits(decoder), Targets(decoder), reduction: nn.Reduction.None) * factors).sum();
            Backward(sum / total);
            return sum.ToDouble();
        }

        var pass = Forward(decoder, leaf: true);
        var chosen = ChunkedHead.Run(decoder, pass.Hidden, Targets(decoder), 1, factors * (-1 / total)).Chosen;
        pass.Backward();
        return -(chosen * factors).sum().ToDouble();
    }

    /// <summary>Log-probability of each predicted token (N), and a way to the mean entropy's sum there.</summary>
    public (Tensor Chosen, Func<double> Entropy) LogProbabilities(Decoder decoder, double temperature)
    {
        if (ChunkedHead.IsNeeded(Predicted, decoder)) return InChunks(decoder, temperature);
        var logits = Logits(decoder);
        var all = F.log_softmax(temperature == 1 ? logits : logits / temperature, -1);
        double Entropy()
        {
            var certain = all.detach();
            return -(certain.exp() * certain).sum().ToDouble();
        }

        return (all.gather(1, Targets(decoder).unsqueeze(1)).squeeze(1), Entropy);
    }

    /// <summary>Sequences of similar length together, at most <paramref name="maxTokens"/> tokens a group, padding included where they are padded (one always fits).</summary>
    public static List<T[]> Group<T>(IEnumerable<T> sequences, Func<T, int> length, int maxTokens, bool packed = false)
    {
        var groups = new List<T[]>();
        var (current, taken) = (new List<T>(), 0);
        foreach (var sequence in sequences.OrderByDescending(length))
        {
            if (current.Count > 0 && (packed ? taken + length(sequence) : (current.Count + 1) * length(current[0])) > maxTokens)
            {
                groups.Add([.. current]);
                current.Clear();
                taken = 0;
            }

            current.Add(sequence);
            taken += length(sequence);
        }

        if (current.Count > 0) groups.Add([.. current]);
        return groups;
    }

    // The logits are computed twice: without gradients for the loss, and again, some at a time, for its slope.
    private (Tensor, Func<double>) InChunks(Decoder decoder, double temperature)
    {
        var pass = Forward(decoder, leaf: true);
        var (chosen, entropy) = ChunkedHead.Run(decoder, pass.Hidden, Targets(decoder), temperature, slopes: null, entropy: true);
        if (!is_grad_enabled()) return (chosen, () => entropy);
        var leaf = chosen.detach().requires_grad_();
        _pending = () =>
        {
            ChunkedHead.Run(decoder, pass.Hidden, Targets(decoder), temperature, leaf.grad ?? throw new InvalidOperationException("The log-probabilities have no gradient."));
            pass.Backward();
        };
        return (leaf, () => entropy);
    }

    // Hidden states of the predictors (N, d). As a leaf they are cut off from the body until their gradient is known.
    private BodyPass Forward(Decoder decoder, bool leaf)
    {
        BodyPass pass;
        if (decoder.Host is { } host) pass = new HostPass(host, _sequences, _predictors, decoder.Adapted);
        else
        {
            var (tokens, lengths, chosen) = _packed ? Packed() : Padded();
            var input = new BodyInput(tensor(tokens, lengths is null ? [Rows, Length] : [1, tokens.Length], device: decoder.Device), lengths, tensor(chosen, device: decoder.Device));
            pass = is_grad_enabled() && decoder.Checkpoints(tokens.Length, Length) ? new CheckpointedPass(decoder, input) : new GraphPass(decoder, input, leaf);
        }

        _pending = is_grad_enabled() ? pass.Backward : null;
        return pass;
    }

    private (long[] Tokens, int[]? Lengths, long[] Chosen) Padded()
    {
        var tokens = new long[Rows * Length];
        for (var row = 0; row < Rows; row++)
            for (var t = 0; t < _sequences[row].Length; t++) tokens[row * Length + t] = _sequences[row][t];
        return (tokens, null, [.. _predictors.Select(at => (long)at.Row * Length + at.Position)]);
    }

    // Nothing behind a row's last predictor has a say.
    private (long[] Tokens, int[]? Lengths, long[] Chosen) Packed()
    {
        var lengths = new int[Rows];
        foreach (var (row, position) in _predictors) lengths[row] = Math.Max(lengths[row], position + 1);
        var starts = new long[Rows];
        for (var row = 1; row < Rows; row++) starts[row] = starts[row - 1] + lengths[row - 1];
        return ([.. _sequences.SelectMany((sequence, row) => sequence.Take(lengths[row]).Select(token => (long)token))], [.. lengths.Where(length => length > 0)],
            [.. _predictors.Select(at => starts[at.Row] + at.Position)]);
    }
}
