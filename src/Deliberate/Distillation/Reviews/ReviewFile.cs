using Deliberate.Runs;

namespace Deliberate.Distillation.Reviews;

/// <summary>The reviews of a run's samples: <c>reviews.jsonl</c> in its folder, to which lines are only added.</summary>
public static class ReviewFile
{
    /// <summary>The file's name in a run's folder.</summary>
    public const string Name = "reviews.jsonl";

    /// <summary>Adds a review. It is on disk when this returns; a line that a crash left half-written is taken away.</summary>
    /// <exception cref="IOException">Another process is writing, or the folder cannot be written.</exception>
    /// <exception cref="InvalidDataException">The file holds a line that is no review.</exception>
    public static void Append(string runFolder, SampleReview review)
    {
        ArgumentNullException.ThrowIfNull(review);
        var path = Path.Combine(runFolder, Name);
        // Opened before it is read: no other process can add a line in between.
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        file.SetLength(WholeLength(file, path));
        file.Seek(0, SeekOrigin.End);
        JsonLines.Append(file, review);
        file.Flush(flushToDisk: true);
    }

    /// <summary>All reviews in the order in which they were made; none when there is no file.</summary>
    /// <exception cref="InvalidDataException">A line is no review; the message names file and line.</exception>
    public static IReadOnlyList<SampleReview> Read(string runFolder) => JsonLines.ReadWhole<SampleReview>(Path.Combine(runFolder, Name), out _);

    /// <summary>The last review of each sample.</summary>
    public static IReadOnlyDictionary<string, SampleReview> Latest(IEnumerable<SampleReview> reviews)
    {
        ArgumentNullException.ThrowIfNull(reviews);
        var latest = new Dictionary<string, SampleReview>();
        foreach (var review in reviews) latest[review.Sample] = review;
        return latest;
    }

    private static long WholeLength(FileStream file, string path)
    {
        if (file.Length == 0) return 0;
        file.Seek(-1, SeekOrigin.End);
        if (file.ReadByte() == '\n') return file.Length;
        JsonLines.ReadWhole<SampleReview>(path, out var length);
        return length;
    }
}
