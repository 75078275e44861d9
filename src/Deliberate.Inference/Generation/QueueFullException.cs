namespace Deliberate.Inference.Generation;

/// <summary>More requests than a generator is allowed to keep waiting (<see cref="GeneratorOptions.MaxWaiting"/>): try again later.</summary>
public sealed class QueueFullException : InvalidOperationException
{
    internal QueueFullException(int waiting)
        : base($"{waiting} requests wait for the model already: try again later, or allow more (GeneratorOptions.MaxWaiting).") => Waiting = waiting;

    /// <summary>How many requests wait.</summary>
    public int Waiting { get; }
}
