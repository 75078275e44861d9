namespace Deliberate.Server.Dashboard.Files;

/// <summary>Where a line stands in a file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Length">Its length without the line end, in bytes.</param>
public sealed record LineSpan(string Path, long Offset, int Length)
{
    /// <summary>The line's bytes; null when the file is gone or shorter by now.</summary>
    public byte[]? Read()
    {
        try
        {
            using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            var bytes = new byte[Length];
            return RandomAccess.Read(file.SafeFileHandle, bytes, Offset) == Length ? bytes : null;
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
