using Deliberate.Pipeline.Clients;

namespace Deliberate.Pipeline;

/// <summary>How much a run spends.</summary>
public enum Budget
{
    /// <summary>The whole method at its full size: minutes.</summary>
    Default,

    /// <summary>Every stage, small: to see that all works. Its figures are rough.</summary>
    Small,
}

/// <summary>What to align, and how.</summary>
public sealed record AlignmentOptions
{
    /// <summary>The policy folder.</summary>
    public required string PolicyFolder { get; init; }

    /// <summary>Where the run keeps everything.</summary>
    public required string Out { get; init; }

    /// <summary>The folder of the model that is trained; null: the shipped miniature.</summary>
    public string? ModelFolder { get; init; }

    /// <summary>Who answers and who judges; by default the model that is trained does both.</summary>
    public ModelRoles Models { get; init; } = new();

    /// <summary>The seed of all randomness.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How much to spend.</summary>
    public Budget Budget { get; init; }

    /// <summary>The arms to run, of <see cref="Arms.All"/>.</summary>
    public IReadOnlyList<string> Arms { get; init; } = Pipeline.Arms.All;
}

/// <summary>Names of the arms that a run compares.</summary>
public static class Arms
{
    /// <summary>The base model without a policy.</summary>
    public const string Base = "base";

    /// <summary>The base model with the policy in its prompt.</summary>
    public const string BaseWithPolicy = "base+policy";

    /// <summary>Fine-tuned on the same answers without any thought.</summary>
    public const string InstantRefusal = "instant-refusal";

    /// <summary>Fine-tuned on thoughts and answers.</summary>
    public const string Sft = "sft";

    /// <summary>Reinforced from the base model.</summary>
    public const string RlOnly = "rl-only";

    /// <summary>Fine-tuned, then reinforced: the whole method.</summary>
    public const string SftRl = "sft+rl";

    /// <summary>All arms, in order.</summary>
    public static IReadOnlyList<string> All { get; } = [Base, BaseWithPolicy, InstantRefusal, Sft, RlOnly, SftRl];
}
