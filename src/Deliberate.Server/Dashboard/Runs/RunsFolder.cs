using System.Collections.Concurrent;

namespace Deliberate.Server.Dashboard.Runs;

/// <summary>The runs of a folder, newest first; or the one run that the folder is. Thread-safe.</summary>
internal sealed class RunsFolder(DashboardOptions options)
{
    private readonly ConcurrentDictionary<string, RunPlace> _places = new(StringComparer.Ordinal);

    /// <summary>The folder as it was given.</summary>
    public string FolderPath => options.Runs;

    /// <summary>The runs that are there now.</summary>
    public IReadOnlyList<RunPlace> List()
    {
        if (!Directory.Exists(options.Runs)) return [];
        var folders = RunPlace.IsRun(options.Runs) ? [options.Runs] : Directory.EnumerateDirectories(options.Runs).Where(RunPlace.IsRun);
        return [.. folders.Select(folder => _places.GetOrAdd(Path.GetFullPath(folder), path => new RunPlace(path))).OrderByDescending(Started).ThenBy(run => run.Name, StringComparer.Ordinal)];
    }

    /// <summary>The run of this name, or null. Only names of the list are looked for: no path leads out of the folder.</summary>
    public RunPlace? Find(string name) => List().FirstOrDefault(run => run.Name == name);

    // The manifest is written once, when the run begins.
    public static DateTime Started(RunPlace run) => File.GetLastWriteTimeUtc(run.PathOf("manifest.json"));
}
