namespace Deliberate.Distillation.Exports;

/// <summary>Writes training examples as another trainer reads them. Implementations are immutable.</summary>
public abstract class ExportFormat
{
    /// <summary>All formats, by the trainer.</summary>
    public static IReadOnlyList<ExportFormat> All { get; } =
    [
        new TrlMessages(), new TrlPromptCompletion(), new TrlSdft(), new LlamaFactorySharegpt(), new LlamaFactoryAlpaca(), new Axolotl(), new OpenRlhf(), new Verl(), new NemoGym(),
    ];

    /// <summary>Names it on the command line: "trl-messages".</summary>
    public abstract string Name { get; }

    /// <summary>What it is for, in a line.</summary>
    public abstract string Purpose { get; }

    /// <summary>Whether it writes the specification, which only a teacher may see.</summary>
    public virtual bool HoldsSpecification => false;

    /// <summary>The format of this name, or null.</summary>
    public static ExportFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);

    /// <summary>Writes the examples.</summary>
    /// <param name="path">The file; the folder for the formats that need several files.</param>
    /// <param name="examples">The examples.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>What was written and what the format could not hold.</returns>
    /// <exception cref="ArgumentException">The format needs specifications and there are none.</exception>
    /// <exception cref="InvalidDataException">A specification stands in a training prompt.</exception>
    public async Task<ExportResult> WriteAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(examples);
        options ??= new();
        if (HoldsSpecification && options.SpecOf is null) throw new ArgumentException($"The format '{Name}' shows the specification to the teacher: give the policy.", nameof(options));
        if (options.SpecOf is { } specOf)
        {
            foreach (var example in examples)
                if (LeakIn(example, specOf(example), options) is { } leak) throw new InvalidDataException($"the prompt of example '{example.Id}' {leak}: a training prompt must not hold the specification. Distil it again.");
        }

        return await WriteCheckedAsync(path, examples, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes examples whose prompts are known to be clean.</summary>
    private protected abstract Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken);

    private static string? LeakIn(TrainingExample example, Policies.Spec spec, ExportOptions options) =>
        example.Conversation.Turns.Select(turn => options.Leak.InPrompt(turn.Text, spec)).FirstOrDefault(leak => leak is not null);
}
