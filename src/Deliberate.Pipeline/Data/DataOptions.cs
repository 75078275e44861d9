using Deliberate.Judging.Calibration;
using Deliberate.Pipeline.Clients;
using Deliberate.Prompts;

namespace Deliberate.Pipeline.Data;

/// <summary>What training data to make, and how. Immutable.</summary>
public sealed record DataOptions
{
    /// <summary>The policy folder.</summary>
    public required string PolicyFolder { get; init; }

    /// <summary>Where the run keeps everything.</summary>
    public required string Out { get; init; }

    /// <summary>Files of prompts: JSON lines, CSV, tab-separated text or Parquet.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>Whether prompts whose file names no category of the policy belong to none, instead of having the base model name it.</summary>
    public bool UnlabelledAreNone { get; init; }

    /// <summary>Which fields of the files hold what; null finds them by their usual names.</summary>
    public PromptFields? Fields { get; init; }

    /// <summary>Files of evaluation prompts that training prompts must not be like.</summary>
    public IReadOnlyList<string> Decontaminate { get; init; } = [];

    /// <summary>How like two prompts are of which one is left out, from 0.4; above 1: none is but for exact duplicates.</summary>
    public double NearDuplicate { get; init; } = 0.85;

    /// <summary>Share of the prompts that is held out to measure on.</summary>
    public double HeldOut { get; init; } = 0.1;

    /// <summary>Who answers, judges and grades.</summary>
    public ModelRoles Models { get; init; } = new();

    /// <summary>Files of finished examples, with thought and answer, to train on in place of those that would be generated, judged and distilled.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>How a model of this machine is trained.</summary>
    public TuningOptions Tuning { get; init; } = new();

    /// <summary>Samples a prompt.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>Sampling temperature of the base model.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Most tokens of a completion, thought included; null leaves it to the model.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Runs of the judge on each sample; the lowest score counts.</summary>
    public int JudgeRuns { get; init; } = 4;

    /// <summary>The lowest score that is trained on, from 0 to 1.</summary>
    public double Threshold { get; init; } = 0.8;

    /// <summary>The arms to measure: <c>base</c>, <c>base+policy</c> and what was trained in the run; none: all that there are.</summary>
    public IReadOnlyList<string> Arms { get; init; } = [];

    /// <summary>Most samples of one prompt that are trained on.</summary>
    public int KeepPerPrompt { get; init; } = 1;

    /// <summary>Most tokens of spec(category).</summary>
    public int SpecTokens { get; init; } = 4096;

    /// <summary>The seed of all randomness.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How the judge was measured against people; null: it was not.</summary>
    public CalibrationReport? Calibration { get; init; }

    /// <summary>Whether the judge may select training data although it was found wanting.</summary>
    public bool EvenSo { get; init; }
}
