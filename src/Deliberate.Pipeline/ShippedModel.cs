namespace Deliberate.Pipeline;

/// <summary>Finds what ships with the program: the miniature and the example policies.</summary>
public static class ShippedModel
{
    /// <summary>The folder of the shipped base model.</summary>
    /// <exception cref="AlignmentException">It is nowhere near.</exception>
    public static string Folder => Find(Path.Combine("models", "miniature"))
        ?? throw new AlignmentException("the shipped model is not here: no folder models/miniature beside the program or above the current directory; give one with --model.");

    /// <summary>A folder beside the program, or in or above the current directory; null when there is none.</summary>
    public static string? Find(string relative)
    {
        for (var folder = new DirectoryInfo(Directory.GetCurrentDirectory()); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, relative))) return Path.Combine(folder.FullName, relative);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, relative))) return Path.Combine(folder.FullName, relative);
        return null;
    }
}
