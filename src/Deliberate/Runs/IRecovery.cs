using System.Diagnostics.CodeAnalysis;

namespace Deliberate.Runs;

/// <summary>Remembers finished work by name, so that work which was cut off goes on instead of starting again. Thread-safe.</summary>
/// <typeparam name="T">What is remembered.</typeparam>
public interface IRecovery<T>
{
    /// <summary>Gives what was finished under this name earlier.</summary>
    bool TryGet(string id, [MaybeNullWhen(false)] out T item);

    /// <summary>Remembers a finished piece of work; when the task ends, it is safe.</summary>
    Task AddAsync(string id, T item, CancellationToken cancellationToken = default);
}
