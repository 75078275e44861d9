using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Models;

/// <summary>A tensor of an inspected model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How it is stored, as a header writes it.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="File">The file that holds it.</param>
public sealed record InspectedTensor(string Name, string Type, IReadOnlyList<long> Shape, string File);

/// <summary>What is stored in one type.</summary>
/// <param name="Type">The type, as a header writes it.</param>
/// <param name="Tensors">Number of tensors.</param>
/// <param name="Bytes">Their size.</param>
public sealed record InspectedType(string Type, int Tensors, long Bytes);

/// <summary>What a model's folder holds, without reading all of it.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Config">The shape of the model, with its family.</param>
/// <param name="Parameters">Number of parameters.</param>
/// <param name="Types">Tensors and bytes by stored type, by name.</param>
/// <param name="Tensors">Every tensor, in the order they are computed with.</param>
/// <param name="Files">The weight files; more than one where the model is sharded.</param>
/// <param name="StopTokens">Tokens that end a text.</param>
/// <param name="Tokenizer">The tokenizer; null where there is no tokenizer.json.</param>
/// <param name="HasChatTemplate">Whether chat_template.jinja is there, or tokenizer_config.json has a template.</param>
/// <param name="Fingerprint">See <see cref="StoredModel.Fingerprint"/>.</param>
public sealed record ModelInspection(
    string Path, ModelConfig Config, long Parameters, IReadOnlyList<InspectedType> Types, IReadOnlyList<InspectedTensor> Tensors,
    IReadOnlyList<string> Files, IReadOnlyList<int> StopTokens, InspectedTokenizer? Tokenizer, bool HasChatTemplate, string Fingerprint)
{
    /// <summary>Bytes of all tensors as stored.</summary>
    public long Bytes => Types.Sum(type => type.Bytes);

    /// <summary>Bytes of keys and values, in fp32, that one token of one text needs while texts are generated.</summary>
    public long CacheBytesPerToken => 2L * Config.Layers * Config.KvHeads * Config.HeadDim * sizeof(float);

    /// <summary>Bytes that generating needs at least: the weights in this type and the cache of so many tokens.</summary>
    /// <param name="weights">BF16, F16 or F32.</param>
    /// <param name="tokens">Tokens of all texts that are generated at once, prompts included.</param>
    public long MemoryToGenerate(TensorType weights, long tokens) => checked(Parameters * weights.Size() + CacheBytesPerToken * tokens);

    /// <summary>Inspects a folder.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or the files do not fit; see <see cref="StoredModel.Open"/>.</exception>
    public static ModelInspection Of(string path)
    {
        if (File.Exists(path)) throw new InvalidDataException($"{path}: this is a file; a model is a folder with config.json, weights and tokenizer.json (a GGUF file is turned into one by 'deliberate model import').");
        using var model = StoredModel.Open(path);
        string Name(string name) => System.IO.Path.GetFileName(model.Tensors.FileOf(name).Path);
        TensorInfo[] infos = [.. model.Config.Tensors().Select(tensor => model.Tensors[tensor.Name])];
        return new(
            path,
            model.Config,
            infos.Sum(tensor => tensor.Count),
            [.. infos.GroupBy(tensor => tensor.Type.HeaderName(), (type, group) => new InspectedType(type, group.Count(), group.Sum(tensor => tensor.Length))).OrderBy(type => type.Type, StringComparer.Ordinal)],
            [.. infos.Select(tensor => new InspectedTensor(tensor.Name, tensor.Type.HeaderName(), tensor.Shape, Name(tensor.Name)))],
            [.. model.Tensors.Files.Select(file => System.IO.Path.GetFileName(file.Path)).Order(StringComparer.Ordinal)],
            model.StopTokens,
            InspectedTokenizer.Of(System.IO.Path.Combine(path, "tokenizer.json")),
            InspectedTokenizer.HasTemplate(path),
            model.Fingerprint);
    }
}
