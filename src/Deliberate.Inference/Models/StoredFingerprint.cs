using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Models;

/// <summary>The fingerprint of a stored model: training changes nearly every value, so four places of each tensor tell.</summary>
internal static class StoredFingerprint
{
    private const int Samples = 4;
    private const int SampleBytes = 1024;

    private static readonly string[] Texts = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];

    public static string Of(StoredModel model)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Text(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Text(model.Config.ToString());
        foreach (var (name, _) in model.Config.Tensors())
        {
            var file = model.Tensors.FileOf(name);
            var tensor = file[name];
            Text(string.Create(CultureInfo.InvariantCulture, $"{name} {tensor.Type.HeaderName()} {string.Join('x', tensor.Shape)}"));
            var length = (int)Math.Min(SampleBytes, tensor.Length);
            for (var i = 0; i < Samples; i++) hash.AppendData(file.Bytes(name, (tensor.Length - length) * i / (Samples - 1), length));
        }

        foreach (var text in Texts)
        {
            var path = Path.Combine(model.Path, text);
            if (!File.Exists(path)) continue;
            using var stream = File.OpenRead(path);
            Text($"{text} {Convert.ToHexStringLower(SHA256.HashData(stream))}");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
