using Deliberate.Endpoints;
using Deliberate.Inference.Templates;
using Deliberate.Runs.Store;

namespace Deliberate.Pipeline.Data;

/// <summary>
/// Lets a stage go on when single calls fail for good, and counts them by reason. It ends the stage when every call will fail for the same reason, or when
/// the first ones all do. Thread-safe.
/// </summary>
/// <param name="model">The model that is asked, as messages name it.</param>
internal sealed class CallFailures(string model)
{
    // So many in a row from the start are no accident.
    private const int Hopeless = 20;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _reasons = new(StringComparer.Ordinal);
    private int _succeeded;

    /// <summary>Calls that failed, by reason.</summary>
    public IReadOnlyDictionary<string, int> Reasons
    {
        get
        {
            lock (_lock) return new SortedDictionary<string, int>(_reasons, StringComparer.Ordinal);
        }
    }

    /// <summary>Makes a call; null when it failed for good.</summary>
    /// <exception cref="AlignmentException">The stage cannot go on.</exception>
    /// <param name="call">The call.</param>
    /// <param name="counted">Whether it counts as one call; false where <see cref="Note"/> tells of its parts.</param>
    public async Task<T?> TryAsync<T>(Func<Task<T>> call, bool counted = true) where T : class
    {
        try
        {
            var result = await call().ConfigureAwait(false);
            if (counted) Interlocked.Increment(ref _succeeded);
            return result;
        }
        catch (EndpointException problem) when (problem.EndsRun)
        {
            throw new AlignmentException($"{model}: {problem.Message} What is paid for is kept: the same command goes on from there.", problem);
        }
        catch (EndpointException problem)
        {
            Count(problem.Reason.Describe(), problem);
            return null;
        }
        catch (Exception problem) when (problem is ArgumentException or TemplateException)
        {
            // A model of this machine: the prompt is longer than its positions, or its template refuses the conversation.
            Count("the model cannot take the prompt", problem);
            return null;
        }
        catch (KnownFailureException problem)
        {
            Count("failed earlier", problem);
            return null;
        }
    }

    /// <summary>Notes calls that their maker has told of as failed, and how many went through.</summary>
    public void Note(int succeeded, IReadOnlyList<string> failed)
    {
        if (succeeded > 0) Interlocked.Add(ref _succeeded, succeeded);
        foreach (var reason in failed) Count("without a verdict", new InvalidOperationException(reason));
    }

    private void Count(string reason, Exception problem)
    {
        lock (_lock)
        {
            _reasons[reason] = _reasons.GetValueOrDefault(reason) + 1;
            if (_succeeded == 0 && _reasons.Values.Sum() >= Hopeless) throw new AlignmentException($"{model}: the first {Hopeless} calls all failed, the last one: {problem.Message}", problem);
        }
    }
}
