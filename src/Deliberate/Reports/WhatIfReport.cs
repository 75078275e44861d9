using Deliberate.Evaluation;

namespace Deliberate.Reports;

/// <summary>What the edit of one clause did to a model trained anew: the content of <c>whatif.json</c>. Measured greedily on held-out prompts.</summary>
public sealed record WhatIfReport
{
    /// <summary>Code of the edited clause.</summary>
    public required string Clause { get; init; }

    /// <summary>What it demands after the edit.</summary>
    public required string Action { get; init; }

    /// <summary>Of the requests that the clause decides and whose ruling changed: the share that follows the edited clause.</summary>
    public required Metric Affected { get; init; }

    /// <summary>Of all other requests: the share on which the model takes the same action as before the edit.</summary>
    public required Metric Unaffected { get; init; }

    /// <summary>The affected requests before the edit: the share that would have followed the edited clause already.</summary>
    public required Metric AffectedBefore { get; init; }

    /// <summary>The other requests after the edit: the share with the action that the policy demands.</summary>
    public required Metric UnaffectedCorrect { get; init; }

    /// <summary>The seed of all randomness.</summary>
    public required int Seed { get; init; }

    /// <summary>Hash of the policy before the edit.</summary>
    public required string PolicyHash { get; init; }

    /// <summary>Hash of the policy after the edit.</summary>
    public required string EditedHash { get; init; }

    /// <summary>Fingerprint of the model that both were trained from.</summary>
    public required string BaseFingerprint { get; init; }
}
