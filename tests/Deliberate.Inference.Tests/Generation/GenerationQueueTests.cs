using Deliberate.Inference.Generation;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

public class GenerationQueueTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static GenerationRequest Request(int number, int tokens = 20) => new() { Prompt = [number, 7, 8], MaxNewTokens = tokens, Seed = number };

    /// <summary>A request that holds up its worker at its first token until it is let go.</summary>
    private sealed class Blocker
    {
        private readonly TaskCompletionSource _go = new(), _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Started => _started.Task;

        public GenerationRequest Of(GenerationRequest request) => request with
        {
            OnToken = _ =>
            {
                _started.TrySetResult();
                _go.Task.Wait();
                return true;
            },
        };

        public void Release() => _go.SetResult();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_result_comes_while_others_go_on(bool together)
    {
        using var generator = new Generator(Tiny.Weights(Tiny.Even), new() { Threads = 2, Together = together });
        using var cancel = new CancellationTokenSource();
        var (endless, started) = (new TaskCompletionSource(), new TaskCompletionSource());
        var others = Enumerable.Range(0, 4).Select(i => generator.SubmitAsync(Request(i, 190) with
        {
            OnToken = _ =>
            {
                started.TrySetResult();
                if (!endless.Task.IsCompleted) Thread.Sleep(1);
                return true;
            },
        }, cancel.Token)).ToArray();
        await started.Task;
        Assert.Equal(3, (await generator.SubmitAsync(Request(9, 3), Cancel)).Tokens.Length);
        Assert.Contains(others, other => !other.IsCompleted);
        endless.SetResult();
        Assert.All(await Task.WhenAll(others), result => Assert.Equal(190, result.Tokens.Length));
    }

    [Fact]
    public async Task Requests_begin_in_the_order_of_their_arrival()
    {
        using var generator = new Generator(Tiny.Weights(Tiny.Even), new() { Threads = 1, MaxBatch = 3 });
        var (order, blocker) = (new List<int>(), new Blocker());
        var first = generator.SubmitAsync(blocker.Of(Request(99)), Cancel);
        await blocker.Started;
        var others = Enumerable.Range(0, 40).Select(i =>
        {
            var begun = false;
            return generator.SubmitAsync(Request(i, 1 + i * 7 % 13) with
            {
                OnToken = _ =>
                {
                    if (!begun) order.Add(i);
                    begun = true;
                    return true;
                },
            }, Cancel);
        }).ToArray();
        blocker.Release();
        await Task.WhenAll([first, .. others]);
        // Those that begin with one pass have their first tokens in any order.
        for (var i = 0; i < order.Count; i++) Assert.InRange(order[i], i - 2, i + 2);
        Assert.Equal(40, order.Count);
    }

    [Fact]
    public async Task A_cancelled_request_leaves_at_once_and_the_others_are_as_they_would_be()
    {
        using var generator = new Generator(Tiny.Weights(Tiny.Even), new() { Threads = 1, MaxBatch = 2 });
        var expected = Enumerable.Range(0, 6).Select(i => generator.Generate([Request(i)])[0]).ToArray();
        using var cancel = new CancellationTokenSource();
        using var partly = new CancellationTokenSource();
        var blocker = new Blocker();
        var seen = 0;
        var first = generator.SubmitAsync(blocker.Of(Request(0)), Cancel);
        var cut = generator.SubmitAsync(Request(1) with
        {
            Cancel = partly.Token,
            OnToken = _ =>
            {
                if (++seen == 6) partly.Cancel();
                return true;
            },
        }, Cancel);
        await blocker.Started;
        var rest = Enumerable.Range(2, 4).Select(i => generator.SubmitAsync(Request(i), i == 3 ? cancel.Token : Cancel)).ToArray();
        // It waits behind a worker that does nothing, and leaves all the same.
        await cancel.CancelAsync();
        Assert.Equal(cancel.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rest[1])).CancellationToken);
        Assert.False(first.IsCompleted);
        blocker.Release();
        GeneratorTests.AssertSame([expected[0], expected[2], expected[4], expected[5]], [await first, await rest[0], await rest[2], await rest[3]]);
        Assert.Equal(GenerationEnd.Cancelled, (await cut).End);
        Assert.Equal(expected[1].Tokens[..6], (await cut).Tokens);
    }

    [Fact]
    public async Task A_call_that_is_cancelled_in_the_middle_has_no_result()
    {
        using var generator = Tiny.Generator(Tiny.Odd);
        using var cancel = new CancellationTokenSource();
        var seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.SubmitAsync(Request(1, 100) with
        {
            OnToken = _ =>
            {
                if (++seen == 3) cancel.Cancel();
                return true;
            },
        }, cancel.Token));
        Assert.Equal(3, seen);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.SubmitAsync(Request(1), cancel.Token));
        Assert.Equal(20, (await generator.SubmitAsync(Request(1), Cancel)).Tokens.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_callback_throws_is_its_callers_alone(bool together)
    {
        using var generator = new Generator(Tiny.Weights(Tiny.Even), new() { Threads = 2, Together = together });
        var expected = generator.Generate([.. Enumerable.Range(0, 10).Select(i => Request(i))], cancel: Cancel);
        var tasks = Enumerable.Range(0, 10).Select(i => generator.SubmitAsync(i % 5 == 2 ? Request(i) with { OnToken = _ => throw new InvalidDataException($"reader {i}") } : Request(i), Cancel)).ToArray();
        for (var i = 0; i < 10; i++)
        {
            if (i % 5 == 2) Assert.Equal($"reader {i}", (await Assert.ThrowsAsync<InvalidDataException>(() => tasks[i])).Message);
            else GeneratorTests.AssertSame([expected[i]], [await tasks[i]]);
        }
    }

    [Fact]
    public async Task A_pass_that_fails_ends_those_in_it_and_the_next_are_served()
    {
        using var generator = Tiny.Generator(Tiny.Even);
        var expected = generator.Generate([Request(5)], cancel: Cancel);
        var blocker = new Blocker();
        var first = generator.SubmitAsync(blocker.Of(Request(1)), Cancel);
        await blocker.Started;
        var broken = generator.SubmitAsync(Request(2) with { ThinkingBudget = 0, EndOfThinking = new BrokenList() }, Cancel);
        blocker.Release();
        foreach (var task in (Task[])[first, broken]) Assert.Contains("no token", (await Assert.ThrowsAsync<InvalidOperationException>(() => task)).Message, StringComparison.Ordinal);
        GeneratorTests.AssertSame(expected, [await generator.SubmitAsync(Request(5), Cancel)]);
    }

    // Fails in the middle of the engine, where no callback of a caller is.
    private sealed class BrokenList : IReadOnlyList<int>
    {
        public int this[int index] => throw new InvalidDataException("no token");

        public int Count => 1;

        public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)[1]).GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    [Fact]
    public async Task A_full_line_refuses_more_until_somebody_leaves_it()
    {
        using var generator = new Generator(Tiny.Weights(Tiny.Even), new() { Threads = 1, MaxBatch = 1, MaxWaiting = 3 });
        var blocker = new Blocker();
        var first = generator.SubmitAsync(blocker.Of(Request(0)), Cancel);
        await blocker.Started;
        using var cancel = new CancellationTokenSource();
        List<Task<GenerationResult>> waiting = [.. Enumerable.Range(1, 3).Select(i => generator.SubmitAsync(Request(i), i == 2 ? cancel.Token : Cancel))];
        var full = await Assert.ThrowsAsync<QueueFullException>(() => generator.SubmitAsync(Request(4), Cancel));
        Assert.Equal(3, full.Waiting);
        Assert.Contains("MaxWaiting", full.Message, StringComparison.Ordinal);
        await cancel.CancelAsync();
        waiting.Add(generator.SubmitAsync(Request(5), Cancel));
        Assert.Throws<QueueFullException>(() => { _ = generator.SubmitAsync(Request(6), Cancel); });
        blocker.Release();
        await first;
        waiting.RemoveAt(1);
        Assert.All(await Task.WhenAll(waiting), result => Assert.Equal(20, result.Tokens.Length));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Disposal_ends_what_is_in_work_and_what_waits(bool together)
    {
        var generator = new Generator(Tiny.Weights(Tiny.Even), new() { Threads = 2, Together = together, MaxBatch = 4 });
        var blocker = new Blocker();
        var tasks = Enumerable.Range(0, 30).Select(i => generator.SubmitAsync(blocker.Of(Request(i, 100)), CancellationToken.None)).ToArray();
        await blocker.Started;
        var disposal = Task.Run(generator.Dispose, Cancel);
        while (true)
        {
            // Another that is still let in must end as well.
            try
            {
                tasks = [.. tasks, generator.SubmitAsync(Request(99), Cancel)];
            }
            catch (ObjectDisposedException)
            {
                break;
            }

            await Task.Delay(1, Cancel);
        }

        blocker.Release();
        await disposal;
        foreach (var task in tasks) await Assert.ThrowsAsync<ObjectDisposedException>(() => task);
        Assert.Throws<ObjectDisposedException>(() => generator.Generate([Request(1)]));
        generator.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task New_weights_come_between_what_is_in_work_and_what_waits(bool together)
    {
        var (before, after) = (Tiny.Weights(Tiny.Even), Tiny.Weights(Tiny.Even, seed: 2));
        using var old = new Generator(before, new() { Threads = 1 });
        using var later = new Generator(after, new() { Threads = 1 });
        // A long prompt, so that a prefix of the old weights would be found if it were kept.
        var request = new GenerationRequest { Prompt = Tiny.Tokens(new Random(1), 60), MaxNewTokens = 30, Seed = 4 };
        using var generator = new Generator(before, new() { Threads = 2, Together = together });
        GeneratorTests.AssertSame(old.Generate([request], cancel: Cancel), [await generator.SubmitAsync(request, Cancel)]);
        var blocker = new Blocker();
        var working = generator.SubmitAsync(blocker.Of(request), Cancel);
        await blocker.Started;
        var load = Task.Run(() => generator.Load(after), Cancel);
        while (!generator.Wanted) await Task.Delay(1, Cancel);
        var waiting = Enumerable.Range(0, 5).Select(_ => generator.SubmitAsync(request, Cancel)).ToArray();
        Assert.False(load.IsCompleted);
        blocker.Release();
        GeneratorTests.AssertSame(old.Generate([request], cancel: Cancel), [await working]);
        await load;
        foreach (var task in waiting) GeneratorTests.AssertSame(later.Generate([request], cancel: Cancel), [await task]);
    }

    [Fact]
    public async Task A_request_without_room_has_an_empty_result()
    {
        using var generator = Tiny.Generator(Tiny.Odd, threads: 2);
        var result = await generator.SubmitAsync(Request(1, 0), Cancel);
        Assert.Empty(result.Tokens);
        Assert.Equal(GenerationEnd.Length, result.End);
        Assert.Equal(GenerationEnd.Cancelled, (await generator.SubmitAsync(Request(1) with { Cancel = new(canceled: true) }, Cancel)).End);
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => { _ = generator.SubmitAsync(new() { Prompt = [] }, Cancel); }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Turns_are_taken_in_order_and_alone_means_alone()
    {
        var turns = new Turns();
        var (inside, alone, wrong) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(() =>
        {
            var mine = i % 3 == 0;
            turns.Enter(mine);
            var now = Interlocked.Increment(ref inside);
            if (mine) Interlocked.Increment(ref alone);
            if (mine ? now != 1 : Volatile.Read(ref alone) != 0) Interlocked.Increment(ref wrong);
            Thread.Yield();
            if (mine) Interlocked.Decrement(ref alone);
            Interlocked.Decrement(ref inside);
            turns.Exit();
        }, Cancel)));
        Assert.Equal(0, wrong);

        // Who gives up waiting holds up nobody.
        using var cancel = new CancellationTokenSource();
        turns.Enter(alone: false);
        var waiting = Task.Run(() => turns.Enter(alone: true, cancel.Token), Cancel);
        while (!turns.Wanted) await Task.Delay(1, Cancel);
        var behind = Task.Run(() => turns.Enter(alone: false), Cancel);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await behind;
        Assert.False(turns.Wanted);
    }
}
