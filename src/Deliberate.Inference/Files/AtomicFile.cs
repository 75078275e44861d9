namespace Deliberate.Inference.Files;

/// <summary>Writes a file so that readers and crashes see the old one or the new one, never a part.</summary>
internal static class AtomicFile
{
    /// <summary>Writes to a temporary file beside <paramref name="path"/>, flushes it to disk and renames it.</summary>
    public static void Write(string path, Action<Stream> write) => File.Move(Stage(path, write), path, overwrite: true);

    /// <summary>Writes and flushes the temporary file alone and gives its path; nothing is left where that fails.</summary>
    public static string Stage(string path, Action<Stream> write)
    {
        var temporary = path + ".tmp";
        using var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        try
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        return temporary;
    }
}
