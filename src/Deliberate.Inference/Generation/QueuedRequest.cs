namespace Deliberate.Inference.Generation;

/// <summary>A request that waits for a place in the batch or has one, and the promise of its result.</summary>
internal sealed class QueuedRequest
{
    private readonly TaskCompletionSource<GenerationResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancel;
    private CancellationTokenRegistration _call, _request;

    public QueuedRequest(GenerationRequest request, CancellationToken cancel) => (Request, _cancel, Place) = (request, cancel, new(this));

    public GenerationRequest Request { get; }

    /// <summary>Its place in the line; in no list once it is taken.</summary>
    public LinkedListNode<QueuedRequest> Place { get; }

    public Task<GenerationResult> Result => _result.Task;

    public bool Cancelled => _cancel.IsCancellationRequested || Request.Cancel.IsCancellationRequested;

    /// <summary>Has this called when it is cancelled.</summary>
    public void Watch(Action<QueuedRequest> cancelled)
    {
        _call = _cancel.UnsafeRegister(_ => cancelled(this), null);
        _request = Request.Cancel.UnsafeRegister(_ => cancelled(this), null);
    }

    public void Finish(GenerationResult result)
    {
        Unwatch();
        _result.TrySetResult(result);
    }

    public void Fail(Exception failure)
    {
        Unwatch();
        _result.TrySetException(failure);
    }

    /// <summary>A cancelled call has no result; a cancelled request keeps the tokens that it has.</summary>
    public void FinishCancelled(GenerationResult result)
    {
        Unwatch();
        if (_cancel.IsCancellationRequested) _result.TrySetCanceled(_cancel);
        else _result.TrySetResult(result);
    }

    // Not Dispose, which waits for a callback that may wait for a lock.
    public void Unwatch()
    {
        _call.Unregister();
        _request.Unregister();
    }
}
