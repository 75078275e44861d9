using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Deliberate.Runs;

/// <summary>
/// Keeps the results of a run's stages as files named by stage and key: <c>stage-key.json</c>, <c>stage-key.jsonl</c> for logs of
/// single pieces, and <c>stage-key/</c> for whole folders. Each is there whole or not at all. Thread-safe for different stages.
/// </summary>
/// <param name="folder">Where the files lie.</param>
public sealed class StageStore(string folder)
{
    /// <summary>Gives a stage's result when it was finished under this key.</summary>
    /// <exception cref="InvalidDataException">The file is there and cannot be read.</exception>
    public bool TryLoad<T>(string stage, string key, [MaybeNullWhen(false)] out T result)
    {
        var path = Place(stage, key) + ".json";
        result = default;
        if (!File.Exists(path)) return false;
        try
        {
            using var stream = File.OpenRead(path);
            result = JsonSerializer.Deserialize<T>(stream, RunJson.Options);
        }
        catch (JsonException problem)
        {
            throw new InvalidDataException($"{path}: cannot be read ({problem.Message}). Delete it to do this stage again.", problem);
        }

        return result is not null;
    }

    /// <summary>Keeps a stage's result.</summary>
    public void Save<T>(string stage, string key, T result)
    {
        ArgumentNullException.ThrowIfNull(result);
        AtomicFile.Write(Place(stage, key) + ".json", stream => JsonSerializer.Serialize(stream, result, RunJson.Options));
    }

    /// <summary>Gives a stage's result, or makes and keeps it.</summary>
    public async Task<T> GetAsync<T>(string stage, string key, Func<Task<T>> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        if (TryLoad<T>(stage, key, out var done)) return done;
        var result = await make().ConfigureAwait(false);
        Save(stage, key, result);
        return result;
    }

    /// <summary>Opens the log of a stage's pieces, with those that an earlier run finished.</summary>
    public StageLog<T> OpenLog<T>(string stage, string key) => new(Place(stage, key) + ".jsonl");

    /// <summary>The folder that a stage has finished, or null.</summary>
    public string? TryFolder(string stage, string key) => Place(stage, key) is var path && Directory.Exists(path) ? path : null;

    /// <summary>Lets <paramref name="write"/> fill an empty folder and then puts it in place in one step.</summary>
    /// <returns>The folder's final path.</returns>
    public string SaveFolder(string stage, string key, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var path = Place(stage, key);
        var temporary = path + ".tmp";
        if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        write(temporary);
        foreach (var file in Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
            stream.Flush(flushToDisk: true);
        }

        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        Directory.Move(temporary, path);
        return path;
    }

    /// <summary>A folder for a stage's work in progress, such as checkpoints. It outlives a crash; what is in it may be half written.</summary>
    public string ScratchPath(string stage, string key) => Directory.CreateDirectory(Place(stage, key) + ".scratch").FullName;

    /// <summary>Deletes a stage's work in progress.</summary>
    public void ClearScratch(string stage, string key)
    {
        var path = Place(stage, key) + ".scratch";
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    private string Place(string stage, string key)
    {
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, $"{Checked(stage)}-{Checked(key)}");
    }

    private static string Checked(string name) =>
        !string.IsNullOrEmpty(name) && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '+')
            ? name
            : throw new ArgumentException($"'{name}' cannot name a stage's file: use letters, digits, '-', '_' and '+'.", nameof(name));
}
