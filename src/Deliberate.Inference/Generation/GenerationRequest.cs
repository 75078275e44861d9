namespace Deliberate.Inference.Generation;

/// <summary>One prompt to continue, and how to sample.</summary>
public sealed record GenerationRequest
{
    /// <summary>Token ids of the prompt; at least one.</summary>
    public required int[] Prompt { get; init; }

    /// <summary>At most this many new tokens; the model's positions bound it too.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Sampling temperature; 0 takes the most likely token (the lowest id of equals).</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Sample from the fewest tokens whose probabilities sum to this (1: all).</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Sample from this many of the most likely tokens (0: all).</summary>
    public int TopK { get; init; }

    /// <summary>Sample from tokens that are at least this share as likely as the likeliest (0: all).</summary>
    public float MinP { get; init; }

    /// <summary>
    /// Logits of tokens that the prompt or the completion holds are divided by this where they are positive and multiplied where they
    /// are negative (Keskar et al., 2019, as in Hugging Face); 1: none.
    /// </summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>After this many new tokens without <see cref="EndOfThinking"/>, its tokens are forced; null: never.</summary>
    public int? ThinkingBudget { get; init; }

    /// <summary>The tokens that end a thought, in order.</summary>
    public IReadOnlyList<int> EndOfThinking { get; init; } = [];

    /// <summary>Where not empty, <see cref="ThinkingBudget"/> holds only for completions that begin with these tokens: others do not think.</summary>
    public IReadOnlyList<int> StartOfThinking { get; init; } = [];

    /// <summary>Called with each new token from a worker thread, which waits for it; false makes it the last one.</summary>
    public Func<int, bool>? OnToken { get; init; }

    /// <summary>Ends this request alone: it keeps the tokens that it has.</summary>
    public CancellationToken Cancel { get; init; }

    /// <summary>Seed of this request's own random numbers.</summary>
    public int Seed { get; init; }

    /// <summary>Tokens that end the completion; they are not part of it.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];
}

/// <summary>Why a completion ended.</summary>
public enum GenerationEnd
{
    /// <summary>One of <see cref="GenerationRequest.StopTokens"/> came.</summary>
    Stop,

    /// <summary>No room was left.</summary>
    Length,

    /// <summary><see cref="GenerationRequest.OnToken"/> said so.</summary>
    Callback,

    /// <summary><see cref="GenerationRequest.Cancel"/> was cancelled.</summary>
    Cancelled,
}

/// <summary>One completion.</summary>
/// <param name="Tokens">New tokens, without the stop token.</param>
/// <param name="LogProbs">
/// The model's own log-probability of each token, at temperature 1 and without restrictions or penalties, nats; the stop token's comes last when one was sampled.
/// </param>
/// <param name="Truncated">Whether it ended for want of room (or was cancelled) and not by a stop token or the caller's callback.</param>
public sealed record GenerationResult(int[] Tokens, float[] LogProbs, bool Truncated)
{
    /// <summary>Why it ended.</summary>
    public GenerationEnd End { get; init; } = Truncated ? GenerationEnd.Length : GenerationEnd.Stop;

    /// <summary>Which of the tokens the thinking budget forced; empty where none were.</summary>
    public Range Forced { get; init; }
}

/// <summary>How a generator works; nothing here but <see cref="Weights"/> and <see cref="Prompts"/> changes what it generates.</summary>
public sealed record GeneratorOptions
{
    /// <summary>Worker threads; 0 takes <c>DELIBERATE_THREADS</c> or else the number of cores.</summary>
    public int Threads { get; init; }

    /// <summary>Sequences in work at once, over all threads; 0 lets the size of the model decide.</summary>
    public int MaxBatch { get; init; }

    /// <summary>Whether prompts that begin alike are computed once.</summary>
    public bool SharePrefixes { get; init; } = true;

    /// <summary>
    /// Positions whose keys and values are kept after <see cref="Generator.SubmitAsync"/> is done with a request, so that a later prompt that begins alike needs not
    /// compute them again; 0 keeps none. Counted in whole pages of up to 256, over all threads; but where threads work apart, each may keep one context of the model.
    /// The least recently used go first.
    /// </summary>
    public int CachedTokens { get; init; } = 8192;

    /// <summary>Most requests of <see cref="Generator.SubmitAsync"/> that wait for a place in the batch; more are refused.</summary>
    public int MaxWaiting { get; init; } = 16_384;

    /// <summary>How matrices are kept in memory.</summary>
    public WeightStorage Weights { get; init; }

    /// <summary>
    /// Other means to multiply the tokens of prompts of a large model; taken where a measurement at the start finds them quick enough
    /// (<see cref="Generator.Prompts"/>). They round otherwise, so that completions may differ from those of the engine's own kernels; in every company they are the same. They keep
    /// the weights once more. Null: the engine's own kernels.
    /// </summary>
    public IPromptMatrices? Prompts { get; init; }

    /// <summary>Whether all threads go through one batch together; null lets the size of the model decide.</summary>
    internal bool? Together { get; init; }
}
