using System.Text.Json;
using Deliberate.Inference.Files;

namespace Deliberate.Inference.Weights;

/// <summary>
/// The tensors of a model's folder: <c>model.safetensors</c>, or the files that <c>model.safetensors.index.json</c> names.
/// </summary>
/// <remarks>Thread-safe. Files stay mapped until it is disposed.</remarks>
public sealed class TensorFolder : IDisposable
{
    internal const string IndexName = "model.safetensors.index.json";

    private const long MaxIndex = 100_000_000;

    private readonly Dictionary<string, SafeTensorsFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafeTensorsFile> _fileOf = new(StringComparer.Ordinal);

    private TensorFolder(string path) => Path = path;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The mapped files.</summary>
    public IReadOnlyCollection<SafeTensorsFile> Files => _files.Values;

    /// <summary>Names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _fileOf.Keys;

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool Contains(string name) => _fileOf.ContainsKey(name);

    /// <summary>What its file's header says of a tensor.</summary>
    public TensorInfo this[string name] => FileOf(name)[name];

    /// <summary>The file that holds a tensor.</summary>
    /// <exception cref="InvalidDataException">None does.</exception>
    public SafeTensorsFile FileOf(string name) => _fileOf.TryGetValue(name, out var file) ? file : throw new InvalidDataException($"{Path}: tensor '{name}' is missing.");

    /// <summary>Opens every weight file of the folder.</summary>
    /// <exception cref="FileNotFoundException">The folder has neither a weight file nor an index, or a file that the index names is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, the index names a path outside the folder, or index and files disagree.</exception>
    public static TensorFolder Open(string path)
    {
        var folder = new TensorFolder(path);
        try
        {
            var single = System.IO.Path.Combine(path, "model.safetensors");
            var index = System.IO.Path.Combine(path, IndexName);
            if (File.Exists(single) || !File.Exists(index))
            {
                if (!File.Exists(single)) throw new FileNotFoundException($"{path}: the model folder has no model.safetensors.", "model.safetensors");
                var file = folder._files["model.safetensors"] = SafeTensorsFile.Open(single);
                foreach (var name in file.Tensors.Keys) folder._fileOf[name] = file;
            }
            else folder.OpenShards(index);
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The names of the files that an index tells of, in order.</summary>
    /// <exception cref="InvalidDataException">It is damaged or names a path.</exception>
    internal static IReadOnlyList<string> Shards(string index) => [.. WeightMap(index).Select(entry => entry.File).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private void OpenShards(string index)
    {
        foreach (var (name, shard) in WeightMap(index))
        {
            if (!_files.TryGetValue(shard, out var file))
            {
                var path = System.IO.Path.Combine(Path, shard);
                if (!File.Exists(path)) throw new FileNotFoundException($"{index}: the file '{shard}' of tensor '{name}' is missing.", shard);
                file = _files[shard] = SafeTensorsFile.Open(path);
            }

            if (!file.Tensors.ContainsKey(name)) throw new InvalidDataException($"{index}: tensor '{name}' is not in '{shard}'.");
            _fileOf[name] = file;
        }

        foreach (var (shard, file) in _files)
        {
            foreach (var name in file.Tensors.Keys)
            {
                if (!_fileOf.TryGetValue(name, out var owner)) throw new InvalidDataException($"{index}: tensor '{name}' of '{shard}' is not in the weight_map.");
                if (owner != file) throw new InvalidDataException($"{index}: tensor '{name}' is in '{shard}' and in another file.");
            }
        }
    }

    private static List<(string Name, string File)> WeightMap(string index)
    {
        try
        {
            if (new FileInfo(index).Length > MaxIndex) throw new InvalidDataException("it is larger than 100 MB.");
            using var document = JsonDocument.Parse(File.ReadAllBytes(index));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException("field 'weight_map' is missing or no object.");
            var entries = new List<(string, string)>();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var entry in map.EnumerateObject())
            {
                if (entry.Value.ValueKind != JsonValueKind.String) throw new InvalidDataException($"the file of tensor '{entry.Name}' is no text.");
                var file = entry.Value.GetString()!;
                // A name, never a path: an index must not reach outside its folder.
                if (file.Length is 0 or > 255 || file is "." or ".." || file.AsSpan().ContainsAny("/\\:\0")) throw new InvalidDataException($"tensor '{entry.Name}' is said to be in '{file}', which is not the name of a file in this folder.");
                if (!seen.Add(entry.Name)) throw new InvalidDataException($"tensor '{entry.Name}' occurs twice.");
                entries.Add((entry.Name, file));
            }

            return entries;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or InvalidDataException)
        {
            throw new InvalidDataException($"{index}: not a valid index: {OneLine.Of(error.Message)}", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files.Values) file.Dispose();
    }
}
