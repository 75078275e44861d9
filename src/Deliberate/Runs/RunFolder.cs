using System.Text.Json;

namespace Deliberate.Runs;

/// <summary>The folder of one run, held by one process at a time: <c>manifest.json</c> and the stages' results. Dispose to let it go.</summary>
public sealed class RunFolder : IDisposable
{
    private readonly FileStream _lock;

    private RunFolder(string path, RunManifest manifest, FileStream @lock)
    {
        (FolderPath, Manifest, _lock) = (path, manifest, @lock);
        Store = new StageStore(Path.Combine(path, "stages"));
    }

    /// <summary>The full path of the folder.</summary>
    public string FolderPath { get; }

    /// <summary>What the run is about.</summary>
    public RunManifest Manifest { get; }

    /// <summary>The stages' results.</summary>
    public StageStore Store { get; }

    /// <summary>Opens a run's folder, or makes it.</summary>
    /// <exception cref="IOException">Another process holds the folder.</exception>
    /// <exception cref="InvalidDataException">The folder belongs to another run, or its manifest cannot be read.</exception>
    public static RunFolder Open(string path, RunManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        path = Directory.CreateDirectory(path).FullName;
        var @lock = Lock(path);
        try
        {
            var file = Path.Combine(path, "manifest.json");
            if (!File.Exists(file)) AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, manifest, RunJson.Indented));
            else if (manifest.DifferenceFrom(Read(file)) is { } difference)
                throw new InvalidDataException($"{path} belongs to another run: {difference}. Choose another folder, or delete this one.");
            return new(path, manifest, @lock);
        }
        catch
        {
            @lock.Dispose();
            throw;
        }
    }

    /// <summary>What the run in a folder is about.</summary>
    /// <exception cref="InvalidDataException">The folder is no run's, or its manifest cannot be read.</exception>
    public static RunManifest ManifestOf(string path)
    {
        var file = Path.Combine(path, "manifest.json");
        return File.Exists(file) ? Read(file) : throw new InvalidDataException($"{path} is no run's folder: it has no manifest.json.");
    }

    /// <summary>The path of a file of this name in the folder.</summary>
    public string PathOf(string name) => Path.Combine(FolderPath, name);

    /// <summary>Lets the folder go.</summary>
    public void Dispose() => _lock.Dispose();

    private static FileStream Lock(string path)
    {
        try
        {
            // The operating system frees the lock with the process, however that ends.
            return new FileStream(Path.Combine(path, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException problem)
        {
            throw new IOException($"{path} is in use by another run. Wait for it to end, or choose another folder.", problem);
        }
    }

    private static RunManifest Read(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return JsonSerializer.Deserialize<RunManifest>(stream, RunJson.Options) ?? throw new JsonException("it is null");
        }
        catch (JsonException problem)
        {
            throw new InvalidDataException($"{file}: not a run's manifest ({problem.Message}). Choose another folder, or delete this one.", problem);
        }
    }
}
