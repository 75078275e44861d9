namespace Deliberate.Inference.Generation;

/// <summary>What equal prompts share on a worker: the keys and values of all but the prompt's last token, and the count of users.</summary>
internal sealed class SharedPrompt
{
    public required KeyValues? Run { get; init; }

    public required bool Own { get; init; }

    public required int Users { get; set; }
}

/// <summary>A request of a closed list in work.</summary>
internal sealed class JobSequence(int index, GenerationRequest request, KeyValues run, SharedPrompt shared) : Sequence(request, run)
{
    public int Index => index;

    public SharedPrompt Shared => shared;
}

/// <summary>A request in work.</summary>
internal class Sequence(GenerationRequest request, KeyValues run)
{
    private readonly List<int> _tokens = [];
    private readonly List<float> _logProbs = [];
    private readonly HashSet<int>? _seen = request.RepetitionPenalty == 1 ? null : [.. request.Prompt];
    private bool _thinking = request.ThinkingBudget is not null;
    private int _forcing = request.EndOfThinking.Count; // the token of the end of thinking to force next
    private int _forcedStart, _forcedEnd;

    public GenerationRequest Request => request;

    public KeyValues Run => run;

    /// <summary>Position of the next token to compute.</summary>
    public int Next { get; set; }

    /// <summary>That token.</summary>
    public int Token => Next < request.Prompt.Length ? request.Prompt[Next] : _tokens[Next - request.Prompt.Length];

    /// <summary>Known tokens that are not computed yet; after the last of them, one is chosen.</summary>
    public int Left => request.Prompt.Length + _tokens.Count - Next;

    /// <summary>The token after those that are known, and its log-probability.</summary>
    public (int Token, float LogProb) Choose(Span<float> logits)
    {
        if (_thinking && _tokens.Count >= Math.Max(request.ThinkingBudget!.Value, request.StartOfThinking.Count))
        {
            _thinking = false;
            if (_tokens.Take(request.StartOfThinking.Count).SequenceEqual(request.StartOfThinking)) (_forcing, _forcedStart) = (Begun(), _tokens.Count);
        }

        return Forcing ? (request.EndOfThinking[_forcing], Sampler.LogProb(logits, request.EndOfThinking[_forcing]))
            : Sampler.Choose(logits, request, request.Prompt.Length + _tokens.Count, _seen);
    }

    /// <summary>Takes what was chosen; why the sequence has ended, or null.</summary>
    public GenerationEnd? Add(int token, float logProb, Action<int>? onToken, int positions)
    {
        _logProbs.Add(logProb);
        var forced = Forcing;
        if (!forced && request.StopTokens.Contains(token)) return GenerationEnd.Stop;
        _tokens.Add(token);
        _seen?.Add(token);
        if (forced) (_forcing, _forcedEnd) = (_forcing + 1, _tokens.Count);
        else if (_thinking) _thinking = Begun() < request.EndOfThinking.Count;

        onToken?.Invoke(token);
        if (request.OnToken?.Invoke(token) == false) return GenerationEnd.Callback;
        return _tokens.Count < request.MaxNewTokens && request.Prompt.Length + _tokens.Count <= positions ? null : GenerationEnd.Length;
    }

    /// <summary>The new tokens so far.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    public GenerationResult Result(GenerationEnd end) => new([.. _tokens], [.. _logProbs], end is GenerationEnd.Length or GenerationEnd.Cancelled)
    {
        End = end,
        Forced = _forcedStart.._forcedEnd,
    };

    private bool Forcing => _forcing < request.EndOfThinking.Count;

    // How many tokens of the end of thinking the completion ends with.
    private int Begun()
    {
        var most = Math.Min(request.EndOfThinking.Count, _tokens.Count);
        while (most > 0 && !_tokens.TakeLast(most).SequenceEqual(request.EndOfThinking.Take(most))) most--;
        return most;
    }
}
