using System.Text.Json;
using Deliberate.Runs;

namespace Deliberate.Server.Dashboard.Files;

/// <summary>A JSON file that is only ever put in place as a whole; read again when it has changed. Thread-safe.</summary>
/// <typeparam name="T">What it holds.</typeparam>
/// <param name="path">The file; it need not be there.</param>
internal sealed class WholeFile<T>(string path) where T : class
{
    private readonly Lock _gate = new();
    private (DateTime Written, long Length) _stamp;
    private T? _value;

    /// <summary>What the file holds; null when it is not there or cannot be read.</summary>
    public T? Value
    {
        get
        {
            lock (_gate)
            {
                var info = new FileInfo(path);
                if (!info.Exists) return null;
                var stamp = (info.LastWriteTimeUtc, info.Length);
                if (stamp == _stamp) return _value;
                try
                {
                    using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                    (_value, _stamp) = (JsonSerializer.Deserialize<T>(file, RunJson.Options), stamp);
                }
                catch (Exception problem) when (problem is IOException or JsonException)
                {
                    (_value, _stamp) = (null, stamp);
                }

                return _value;
            }
        }
    }
}
