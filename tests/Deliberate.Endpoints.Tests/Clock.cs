using Microsoft.Extensions.Time.Testing;

namespace Deliberate.Endpoints.Tests;

/// <summary>A clock that stands still until a test lets time pass.</summary>
internal static class Clock
{
    /// <summary>Lets time pass in steps until the work is done. What is asserted is time by this clock, never by the wall.</summary>
    public static async Task<T> RunAsync<T>(this FakeTimeProvider time, Task<T> work, TimeSpan step)
    {
        while (!work.IsCompleted)
        {
            // Whatever can go on without time passing goes on first.
            for (var i = 0; i < 3 && !work.IsCompleted; i++) await Task.Delay(1);
            if (!work.IsCompleted) time.Advance(step);
        }

        return await work;
    }

    public static async Task RunAsync(this FakeTimeProvider time, Task work, TimeSpan step) => await time.RunAsync(Wrap(work), step);

    private static async Task<bool> Wrap(Task work)
    {
        await work;
        return true;
    }
}
