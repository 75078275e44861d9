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

    /// <summary>Seed of this request's own random numbers.</summary>
    public int Seed { get; init; }

    /// <summary>Tokens that end the completion; they are not part of it.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];
}

/// <summary>One completion.</summary>
/// <param name="Tokens">New tokens, without the stop token.</param>
/// <param name="LogProbs">Log-probability of each sampled token at temperature 1, nats; the stop token's comes last when one was sampled.</param>
/// <param name="Truncated">Whether it ended for want of room and not by a stop token.</param>
public sealed record GenerationResult(int[] Tokens, float[] LogProbs, bool Truncated);

/// <summary>How a generator works; nothing here changes what it generates.</summary>
public sealed record GeneratorOptions
{
    /// <summary>Worker threads; 0 takes <c>DELIBERATE_THREADS</c> or else the number of cores.</summary>
    public int Threads { get; init; }

    /// <summary>Sequences in work at once, over all threads; 0 lets the size of the model decide.</summary>
    public int MaxBatch { get; init; }

    /// <summary>Whether prompts that begin alike are computed once.</summary>
    public bool SharePrefixes { get; init; } = true;
}
