namespace Deliberate.Server.Rewards;

/// <summary>Small Python files that connect trainers to the reward server; they need Python's standard library alone.</summary>
public static class RewardShims
{
    /// <summary>The names of the files: what each is for stands in its first line.</summary>
    public static IReadOnlyList<string> Names { get; } = ["openrlhf_reward.py", "trl_reward.py", "verl_reward.py"];

    /// <summary>The text of a file.</summary>
    /// <exception cref="ArgumentException">There is no such file.</exception>
    public static string Read(string name)
    {
        if (!Names.Contains(name)) throw new ArgumentException($"There is no shim '{name}'; there are {string.Join(", ", Names)}.", nameof(name));
        using var reader = new StreamReader(typeof(RewardShims).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
