namespace Deliberate.Runs;

/// <summary>What a run is about. A folder belongs to one manifest for ever.</summary>
/// <param name="PolicyHash">Hash of the policy.</param>
/// <param name="BaseModel">Name or fingerprint of the model that is started from.</param>
/// <param name="Seed">The seed of all randomness.</param>
/// <param name="Settings">Further facts that must stay the same: name → value.</param>
public sealed record RunManifest(string PolicyHash, string BaseModel, int Seed, IReadOnlyDictionary<string, string>? Settings = null)
{
    /// <summary>In which fact this run differs from <paramref name="other"/>, as a readable clause; null when in none.</summary>
    internal string? DifferenceFrom(RunManifest other)
    {
        var (mine, theirs) = (Facts(), other.Facts());
        foreach (var name in mine.Keys.Union(theirs.Keys).Order(StringComparer.Ordinal))
        {
            var (here, there) = (mine.GetValueOrDefault(name, "absent"), theirs.GetValueOrDefault(name, "absent"));
            if (here != there) return $"its {name} is {there}, not {here}";
        }

        return null;
    }

    private Dictionary<string, string> Facts() => new(Settings ?? new Dictionary<string, string>())
    {
        ["policy"] = PolicyHash,
        ["base model"] = BaseModel,
        ["seed"] = Seed.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
