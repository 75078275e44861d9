using System.Text.Json;
using Deliberate.Runs;

namespace Deliberate.Server.Access;

/// <summary>
/// The keys of a server, kept as hashes in a JSON file that only its owner may read. A change of the file counts at once, so that a key can be withdrawn from
/// a running server. Thread-safe.
/// </summary>
public sealed class KeyFile
{
    private readonly string _path;
    private readonly Lock _lock = new();
    private (DateTime Written, long Length) _seen;
    private IReadOnlyList<AccessKey> _keys = [];

    /// <summary>Opens a file of keys; one that is not there has none.</summary>
    /// <exception cref="InvalidDataException">It is no file of keys; the message names it.</exception>
    public KeyFile(string path)
    {
        _path = path;
        _ = Keys;
    }

    /// <summary>The keys.</summary>
    /// <exception cref="InvalidDataException">The file cannot be read any more.</exception>
    public IReadOnlyList<AccessKey> Keys
    {
        get
        {
            lock (_lock)
            {
                var file = new FileInfo(_path);
                var state = file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
                if (state == _seen) return _keys;
                (_keys, _seen) = (file.Exists ? Read() : [], state);
                return _keys;
            }
        }
    }

    /// <summary>The key with this text, or null. Takes as long for one that is nearly right as for any other.</summary>
    public AccessKey? Find(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var hash = AccessKey.HashOf(text);
        AccessKey? found = null;
        foreach (var key in Keys)
            if (key.Is(hash)) found = key;
        return found;
    }

    /// <summary>Whose the key of this id is, or null.</summary>
    /// <exception cref="InvalidDataException">The file cannot be read any more.</exception>
    public string? NameOf(string id) => Keys.FirstOrDefault(key => key.Id == id)?.Name;

    /// <summary>Makes a key and keeps its hash.</summary>
    /// <returns>The key's text, which is told once.</returns>
    /// <exception cref="ArgumentException">A right is unknown, or there is none.</exception>
    public (AccessKey Key, string Text) Add(string name, IReadOnlyList<string> rights, DateTimeOffset now)
    {
        lock (_lock)
        {
            var made = AccessKey.Create(name, rights, now);
            Write([.. Keys, made.Key]);
            return made;
        }
    }

    /// <summary>Withdraws a key.</summary>
    /// <returns>False when there is no key of this id.</returns>
    public bool Remove(string id)
    {
        lock (_lock)
        {
            var left = Keys.Where(key => key.Id != id).ToList();
            if (left.Count == Keys.Count) return false;
            Write(left);
            return true;
        }
    }

    private List<AccessKey> Read()
    {
        try
        {
            using var stream = File.OpenRead(_path);
            var keys = JsonSerializer.Deserialize<List<AccessKey>>(stream, RunJson.Options) ?? throw new JsonException("it is null");
            foreach (var key in keys)
            {
                if (key.Hash.Length != 64 || !key.Hash.All(char.IsAsciiHexDigitLower)) throw new JsonException($"the hash of key '{key.Id}' is no SHA-256 in lower-case hex");
                if (key.Rights.FirstOrDefault(right => !Rights.All.Contains(right)) is { } unknown) throw new JsonException($"key '{key.Id}' has the right '{unknown}', which is none");
            }

            return keys;
        }
        catch (JsonException problem)
        {
            throw new InvalidDataException($"{_path}: no file of keys ({problem.Message}). Mend it, or make keys anew with `deliberate keys add`.", problem);
        }
    }

    private void Write(IReadOnlyList<AccessKey> keys)
    {
        AtomicFile.Write(_path, stream =>
        {
            // The hashes open nothing, but names and rights are nobody else's business.
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(((FileStream)stream).SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            JsonSerializer.Serialize(stream, keys, RunJson.Indented);
        });
    }
}
