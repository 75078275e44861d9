using System.Text.Json;
using Deliberate.Reports;
using Deliberate.Runs;
using Deliberate.Server.Dashboard.Files;
using Deliberate.Server.Dashboard.Rollouts;
using Deliberate.Server.Dashboard.Samples;

namespace Deliberate.Server.Dashboard.Runs;

/// <summary>One run's folder, read and never written but for its reviews. What was read is remembered until its file changes. Thread-safe.</summary>
public sealed class RunPlace
{
    private readonly WholeFile<RunReport> _report;
    private readonly WholeFile<RunManifest> _manifest;
    private readonly WholeFile<Dictionary<string, JsonElement>> _origin, _figures;
    private readonly Lazy<SampleIndex> _samples;
    private readonly Lazy<RolloutIndex> _rollouts;

    internal RunPlace(string path)
    {
        FolderPath = Path.GetFullPath(path);
        Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(FolderPath));
        (_report, _manifest, _origin, _figures) = (new(PathOf("report.json")), new(PathOf("manifest.json")), new(PathOf("origin.json")), new(PathOf("eval.json")));
        _samples = new(() => new SampleIndex(this));
        _rollouts = new(() => new RolloutIndex(this));
    }

    /// <summary>Name of the run: the last part of its folder.</summary>
    public string Name { get; }

    /// <summary>Full path of the folder.</summary>
    public string FolderPath { get; }

    /// <summary>What the run is about; null when its manifest cannot be read.</summary>
    public RunManifest? Manifest => _manifest.Value;

    /// <summary>The report; null while there is none.</summary>
    public RunReport? Report => _report.Value;

    /// <summary>Whether the run is on prompts of files, not on the miniature's world.</summary>
    public bool IsOfFiles => Manifest?.Settings?.GetValueOrDefault("kind") == "prompts of files";

    internal SampleIndex Samples => _samples.Value;

    internal RolloutIndex Rollouts => _rollouts.Value;

    /// <summary>The policy's folder as the run was given it; null when it does not say.</summary>
    internal string? PolicyFolder => _origin.Value?.GetValueOrDefault("policy") is { ValueKind: JsonValueKind.String } folder ? folder.GetString() : Report?.Policy.Path;

    /// <summary>The figures of a run on prompts of files: <c>eval.json</c>.</summary>
    internal IReadOnlyDictionary<string, JsonElement>? Figures => IsOfFiles ? _figures.Value : null;

    internal string PathOf(string name) => Path.Combine(FolderPath, name);

    /// <summary>Files of the stages whose names begin and end like this, in alphabetical order.</summary>
    internal IReadOnlyList<string> StageFiles(string begins, string ends) =>
        Directory.Exists(PathOf("stages")) ? [.. Directory.EnumerateFiles(PathOf("stages"), begins + "*" + ends).Order(StringComparer.Ordinal)] : [];

    /// <summary>Whether a folder is a run's.</summary>
    internal static bool IsRun(string path) => File.Exists(Path.Combine(path, "manifest.json"));
}
