using Deliberate.Conversations;
using Deliberate.Prompts;
using Deliberate.Runs;

namespace Deliberate.Pipeline.Data;

/// <summary>What became of the prompts.</summary>
/// <param name="Key">Names the prepared set.</param>
/// <param name="Report">What preparation did.</param>
/// <param name="Given">Prompts whose file names a category of the policy, or none.</param>
/// <param name="Labelled">Prompts that a model put into a category, or into none.</param>
/// <param name="Unlabelled">Prompts of which nobody could tell the category: they are left out.</param>
internal sealed record PreparedPrompts(string Key, PreparationReport Report, int Given, int Labelled, int Unlabelled)
{
    /// <summary>Prompts to train on.</summary>
    public int Train { get; init; }

    /// <summary>Prompts to measure on.</summary>
    public int HeldOut { get; init; }
}

/// <summary>
/// Reads the files of prompts, leaves out duplicates and what an evaluation holds, splits by content, and has the base model name the category of those that
/// come without one: <c>prompts.jsonl</c> to train on, <c>heldout.jsonl</c> to measure on, <c>dropped.jsonl</c> for the rest.
/// </summary>
internal sealed class PromptStage(DataContext run, IProgress<StageProgress>? progress)
{
    public const string TrainFile = "prompts.jsonl", HeldOutFile = "heldout.jsonl", DroppedFile = "dropped.jsonl";
    private const int LabelledAtOnce = 1000;
    private static readonly HashSet<string> NoCategory = new(StringComparer.OrdinalIgnoreCase) { "none", "benign", "safe", "harmless" };
    private int _given, _labelled, _unlabelled, _done;

    public async Task<PreparedPrompts> PrepareAsync(CancellationToken cancel)
    {
        if (Finished() is { } done) return done;
        var key = Key();
        var preparation = await PreparationAsync(cancel).ConfigureAwait(false);
        var (train, heldOut) = (0, 0);
        await JsonLines.WriteAsync(run.PathOf(HeldOutFile), Split(), cancel).ConfigureAwait(false);
        JsonLines.Write(run.PathOf(DroppedFile), preparation.Report.Dropped);
        return run.Finish("prompts", key, new PreparedPrompts(key, preparation.Report with { Dropped = [] }, _given, _labelled, _unlabelled) { Train = train, HeldOut = heldOut });

        // One pass for two files: what is held out comes out, what is trained on is written on the way.
        async IAsyncEnumerable<Prompt> Split()
        {
            var path = run.PathOf(TrainFile) + ".new";
            var training = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
            await using (training.ConfigureAwait(false))
            {
                await foreach (var (prompt, held) in CategorisedAsync(preparation, cancel).ConfigureAwait(false))
                {
                    if (held)
                    {
                        heldOut++;
                        yield return prompt;
                    }
                    else
                    {
                        train++;
                        JsonLines.Append(training, prompt);
                    }
                }

                training.Flush(flushToDisk: true);
            }

            File.Move(path, run.PathOf(TrainFile), overwrite: true);
        }
    }

    /// <summary>The prompts to train on as they are before any call: those whose category a model would have to name are counted, and have none.</summary>
    public async Task<(IReadOnlyList<Prompt> Train, int Nameless)> PeekAsync(CancellationToken cancel)
    {
        if (Finished() is not null) return (JsonLines.Read<Prompt>(run.PathOf(TrainFile)), 0);
        var preparation = await PreparationAsync(cancel).ConfigureAwait(false);
        var (train, nameless) = (new List<Prompt>(), 0);
        foreach (var file in run.Options.Prompts)
        {
            await foreach (var prepared in preparation.RunAsync(PromptFile.ReadAsync(file, new(run.Options.Fields), cancel), cancel).ConfigureAwait(false))
            {
                var (known, category) = CategoryOf(prepared);
                if (!known) nameless++;
                if (!prepared.HeldOut) train.Add(prepared.Prompt with { Category = category });
            }
        }

        return (train, nameless);
    }

    private PreparedPrompts? Finished() => run.Finished<PreparedPrompts>("prompts", Key(), TrainFile);

    private string Key() => StageKey.Of(
        "prompts-2", run.Policy.Hash, run.Options.Prompts.Select(DataContext.HashOf).ToArray(), run.Options.Fields, run.Options.Decontaminate.Select(DataContext.HashOf).ToArray(), run.Options.HeldOut, run.Options.NearDuplicate, run.Clients.Base.Name, run.Options.UnlabelledAreNone);

    private async Task<PromptPreparation> PreparationAsync(CancellationToken cancel)
    {
        EvaluationSets? evaluation = null;
        foreach (var file in run.Options.Decontaminate) await (evaluation ??= new()).AddAsync(file, cancellationToken: cancel).ConfigureAwait(false);
        return new(new(run.Options.NearDuplicate, run.Options.HeldOut), evaluation);
    }

    private async IAsyncEnumerable<(Prompt Prompt, bool HeldOut)> CategorisedAsync(PromptPreparation preparation, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var waiting = new List<PreparedPrompt>();
        foreach (var file in run.Options.Prompts)
        {
            await foreach (var prepared in preparation.RunAsync(PromptFile.ReadAsync(file, new(run.Options.Fields), cancel), cancel).ConfigureAwait(false))
            {
                waiting.Add(prepared);
                if (waiting.Count < LabelledAtOnce) continue;
                foreach (var prompt in await CategoriseAsync(waiting, cancel).ConfigureAwait(false)) yield return prompt;
                waiting.Clear();
            }
        }

        foreach (var prompt in await CategoriseAsync(waiting, cancel).ConfigureAwait(false)) yield return prompt;
        if (_done == 0) throw new AlignmentException($"no prompt is left of {string.Join(", ", run.Options.Prompts)}: {preparation.Report}.");
        progress?.Report(new("prompts", null, _done, _done, "prompts", run.Clients.Base.Told()));
    }

    private async Task<List<(Prompt, bool)>> CategoriseAsync(List<PreparedPrompt> prompts, CancellationToken cancel)
    {
        var missing = prompts.Where(prepared => CategoryOf(prepared) is (false, _)).ToArray();
        var labels = new Dictionary<string, CategoryLabels>();
        if (missing.Length > 0)
        {
            var labeller = new CategoryLabeller(run.Clients.Base.For("label"), run.Policy, new(Seed: run.Seed("label"), ThinkingOpened: run.Clients.Base.ThinkingOpened));
            var counter = new Counter(done => progress?.Report(new("prompts", null, _done + done, _done + missing.Length + 1, "prompts", run.Clients.Base.Told())));
            foreach (var label in await LabelAsync(labeller, [.. missing.Select(prepared => prepared.Prompt)], counter, cancel).ConfigureAwait(false))
                labels[label.Id] = label;
        }

        var ready = new List<(Prompt, bool)>();
        foreach (var prepared in prompts)
        {
            _done++;
            var (known, category) = CategoryOf(prepared);
            if (!known && !labels[prepared.Prompt.Id].IsLabelled)
            {
                _unlabelled++;
                continue;
            }

            if (known) _given++;
            else _labelled++;
            ready.Add((prepared.Prompt with { Category = known ? category : FirstOf(labels[prepared.Prompt.Id]) }, prepared.HeldOut));
        }

        return ready;
    }

    private async Task<IReadOnlyList<CategoryLabels>> LabelAsync(CategoryLabeller labeller, IReadOnlyList<Prompt> prompts, Counter counter, CancellationToken cancel)
    {
        try
        {
            return await labeller.LabelAsync(prompts, null, counter, cancel).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is InvalidOperationException or Endpoints.EndpointException)
        {
            throw new AlignmentException($"{run.Clients.Base.Name}, which names the categories of prompts that come without: {problem.Message}", problem);
        }
    }

    // Whether the file tells the category in the policy's words, and which it is.
    private (bool Known, string? Category) CategoryOf(PreparedPrompt prepared)
    {
        foreach (var name in prepared.Source.Categories)
        {
            if (run.Policy.FindCategory(name) is { } category) return (true, category.Id);
            if (NoCategory.Contains(name)) return (true, null);
        }

        return (run.Options.UnlabelledAreNone, null);
    }

    private static string? FirstOf(CategoryLabels labels) => labels.Categories is [var first, ..] ? first : null;
}
