using Deliberate.Conversations;
using Deliberate.Endpoints.Flow;
using Deliberate.Generation;
using Deliberate.Runs;

namespace Deliberate.Pipeline.Data;

/// <summary>What came of a stage of calls.</summary>
/// <param name="Key">Names its result.</param>
/// <param name="Made">Pieces of work done.</param>
/// <param name="Failed">Calls that failed for good, by reason.</param>
/// <param name="Odd">Among the work done what is out of the ordinary: truncated samples, judgements without a score.</param>
internal sealed record CallResults(string Key, int Made, IReadOnlyDictionary<string, int> Failed, int Odd)
{
    public int Failures => Failed.Values.Sum();
}

/// <summary>Has the base model answer each prompt several times with spec(category) in context (paper, section 2.3.1): <c>samples.jsonl</c>.</summary>
internal sealed class SampleStage(DataContext run, IProgress<StageProgress>? progress)
{
    public const string File = "samples.jsonl";

    public async Task<CallResults> GenerateAsync(PreparedPrompts prompts, CancellationToken cancel)
    {
        var options = run.Options;
        var key = StageKey.Of("samples-1", prompts.Key, run.Clients.Base.Name, run.BaseWords.Generation.Version, options.Samples, options.Temperature, options.MaxTokens, options.SpecTokens, options.Seed);
        // Failed calls are made again when that is asked for; all others come from the store.
        if (run.Finished<CallResults>("generate", key, File) is { } done && (done.Failures == 0 || !options.Models.RetryFailed)) return done;
        var generator = Generator();
        var failures = new CallFailures(run.Clients.Base.Name);
        var (made, cut, seen, total) = (0, 0, 0, prompts.Train * options.Samples);
        var paced = new PacedProgress(progress, "generate", null, total, "samples", run.Clients.Base.Told);
        await JsonLines.WriteAsync(run.PathOf(File), Samples(), cancel).ConfigureAwait(false);
        return run.Finish("generate", key, new CallResults(key, made, failures.Reasons, cut));

        async IAsyncEnumerable<Sample> Samples()
        {
            await foreach (var sample in OrderedStream.RunAsync(Work(JsonLines.Stream<Prompt>(run.PathOf(PromptStage.TrainFile))), Window(run.Clients.Base.Flow), (item, token) =>
                failures.TryAsync(() => generator.DrawAsync(item.Prompt, item.Index, run.BaseWords.Spec(item.Prompt.Category), token)), cancel).ConfigureAwait(false))
            {
                paced.Report(++seen);
                if (sample is null) continue;
                made++;
                if (sample.Completion.Truncated) cut++;
                yield return sample;
            }
        }
    }

    /// <summary>What the calls for these prompts may take; null for a model of this machine.</summary>
    public RunEstimate? Estimate(IEnumerable<Prompt> prompts, string model)
    {
        var generator = Generator();
        return run.Clients.Base.Flow?.Estimate(Work(prompts).Select(item =>
        {
            var request = generator.RequestOf(item.Prompt, item.Index, run.BaseWords.Spec(item.Prompt.Category));
            return new ChatCall(item.Prompt.Id, request.Messages, request.Options);
        }), model);
    }

    /// <summary>How many items to hold: enough that the limits of the client decide how many calls are in flight.</summary>
    public static int Window(FlowController? flow) => 4 * (flow?.Options.MaxConcurrency ?? 1024);

    private SampleGenerator Generator() => new(run.Clients.Base.For("generate"), run.BaseWords.Generation, new(
        run.Options.Samples, run.Options.Temperature, run.BaseWords.CompletionTokens ?? run.Options.MaxTokens, run.Seed("generate"), ThinkingOpened: run.Clients.Base.ThinkingOpened));

    private IEnumerable<(Prompt Prompt, int Index)> Work(IEnumerable<Prompt> prompts) =>
        prompts.SelectMany(prompt => Enumerable.Range(0, run.Options.Samples).Select(index => (prompt, index)));
}
