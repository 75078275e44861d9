namespace Deliberate.Inference.Generation;

/// <summary>One call of the generator: the requests, and which of them no worker has taken yet.</summary>
internal sealed class GenerationJob
{
    private readonly List<PromptGroup> _groups;
    private readonly Action<int>? _progress;
    private readonly Action<int, GenerationResult>? _onResult;
    private int _next = -1, _done;

    public GenerationJob(IReadOnlyList<GenerationRequest> requests, int workers, bool share, Action<int>? progress, Action<int>? onToken, Action<int, GenerationResult>? onResult, CancellationToken cancel)
    {
        (Requests, _progress, OnToken, _onResult, Cancel) = (requests, progress, onToken, onResult, cancel);
        FairShare = (requests.Count + workers - 1) / workers;
        var (prefixes, groups) = PrefixTree.Build(requests, share);
        Prefixes = prefixes;
        // Many samples of one prompt are no reason for one worker to do all the work.
        _groups = [.. groups.SelectMany(group => group.Requests.Chunk(FairShare), (group, part) => group with { Requests = part })];
        Results = new GenerationResult[requests.Count];
    }

    public IReadOnlyList<GenerationRequest> Requests { get; }

    public GenerationResult[] Results { get; }

    public IReadOnlyList<SharedPrefix> Prefixes { get; }

    /// <summary>Most requests that one worker should have in work, so that the others have as many.</summary>
    public int FairShare { get; }

    public Action<int>? OnToken { get; }

    public CancellationToken Cancel { get; }

    /// <summary>The next group of equal prompts, or null when all are taken.</summary>
    public PromptGroup? Take()
    {
        var index = Interlocked.Increment(ref _next);
        return index < _groups.Count ? _groups[index] : null;
    }

    public void Finish(int request, GenerationResult result)
    {
        Results[request] = result;
        var done = Interlocked.Increment(ref _done);
        _onResult?.Invoke(request, result);
        _progress?.Invoke(done);
    }
}
