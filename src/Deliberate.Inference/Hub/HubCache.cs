using System.Text;
using Deliberate.Inference.Files;
using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Hub;

/// <summary>
/// A model's place in the cache, laid out as other programs do: contents under <c>blobs</c> by ETag, <c>snapshots/COMMIT/FILE</c>
/// links to them, <c>refs/REVISION</c> holds the commit.
/// </summary>
internal sealed class HubCache(string cache, HubReference model)
{
    // "In use by another process": Windows, Linux, macOS.
    private static readonly int[] InUse = [unchecked((int)0x80070020), 11, 35];

    private readonly string _root = Path.Combine(cache, Folder(model));

    public string Snapshot(string commit) => Path.Combine(_root, "snapshots", commit);

    public string Blob(string etag) => Path.Combine(_root, "blobs", etag);

    /// <summary>What of a content has come so far.</summary>
    public string Part(string etag) => Blob(etag) + ".part";

    /// <summary>The snapshot of the revision, or of the commit that it is; null where there is none with all its weights.</summary>
    public string? Known()
    {
        var reference = Path.Combine(_root, "refs", model.Revision);
        var commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : model.Revision;
        if (commit.Length is 0 or > 64 || !commit.All(char.IsAsciiLetterOrDigit)) return null;
        return IsComplete(Snapshot(commit)) ? Snapshot(commit) : null;
    }

    /// <summary>Whether a snapshot's file is there with this size.</summary>
    public bool Has(string commit, string file, long size)
    {
        try
        {
            // Opened, as links may lead nowhere.
            using var handle = File.OpenHandle(Path.Combine(Snapshot(commit), file));
            return RandomAccess.GetLength(handle) == size;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    public void Refer(string commit)
    {
        if (commit == model.Revision) return;
        var reference = Path.Combine(_root, "refs", model.Revision);
        Directory.CreateDirectory(Path.GetDirectoryName(reference)!);
        AtomicFile.Write(reference, stream => stream.Write(Encoding.ASCII.GetBytes(commit)));
    }

    /// <summary>Puts a content under its name; where the system makes no links, as a copy.</summary>
    public void Link(string commit, string file, string etag)
    {
        var path = Path.Combine(Snapshot(commit), file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        try
        {
            File.CreateSymbolicLink(path, Path.Combine("..", "..", "blobs", etag));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            var temporary = path + ".tmp";
            File.Copy(Blob(etag), temporary, overwrite: true);
            File.Move(temporary, path, overwrite: true);
        }
    }

    /// <summary>Waits until no other process downloads this model.</summary>
    public async Task<IDisposable> LockAsync(CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.Combine(_root, "blobs"));
        var folder = Path.Combine(cache, ".locks", Folder(model));
        Directory.CreateDirectory(folder);
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(folder, "deliberate.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (InUse.Contains(error.HResult))
            {
                await Task.Delay(200, cancel);
            }
        }
    }

    private static bool IsComplete(string snapshot)
    {
        bool Has(string file) => File.Exists(Path.Combine(snapshot, file));
        if (!Has("config.json")) return false;
        if (Has("model.safetensors")) return true;
        try
        {
            return Has(TensorFolder.IndexName) && TensorFolder.Shards(Path.Combine(snapshot, TensorFolder.IndexName)).All(Has);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static string Folder(HubReference model) => $"models--{model.Owner}--{model.Name}";
}
