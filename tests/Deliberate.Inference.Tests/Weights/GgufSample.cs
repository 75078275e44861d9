using System.Text;

namespace Deliberate.Inference.Tests.Weights;

/// <summary>Small GGUF files made here: metadata entries one by one, then tensors of zeros.</summary>
internal sealed class GgufSample
{
    private readonly List<byte> _entries = [];
    private int _count;

    /// <summary>Headers of three architectures with a tokenizer of four tokens each, one of them SentencePiece's.</summary>
    public static IEnumerable<byte[]> All => new[] { "llama", "qwen3", "gemma3" }.Select(Of);

    public GgufSample Add(string key, object value)
    {
        Text(_entries, key);
        Number(_entries, value is Array ? 9 : TypeOf(value));
        if (value is Array list)
        {
            Number(_entries, TypeOf(list.GetValue(0)!));
            _entries.AddRange(BitConverter.GetBytes((ulong)list.Length));
            foreach (var item in list) Write(item);
        }
        else Write(value);
        _count++;
        return this;
    }

    /// <summary>The file, with tensors of a type, their size in bytes and their shape, fastest first.</summary>
    public byte[] ToArray(params (string Name, uint Type, ulong Length, ulong[] Shape)[] tensors)
    {
        List<byte> file = [.. "GGUF"u8, .. BitConverter.GetBytes(3), .. BitConverter.GetBytes((ulong)tensors.Length), .. BitConverter.GetBytes((ulong)_count), .. _entries];
        ulong offset = 0;
        foreach (var (name, type, length, shape) in tensors)
        {
            Text(file, name);
            Number(file, (uint)shape.Length);
            foreach (var size in shape) file.AddRange(BitConverter.GetBytes(size));
            Number(file, type);
            file.AddRange(BitConverter.GetBytes(offset));
            offset += (length + 31) / 32 * 32;
        }

        file.AddRange(new byte[(file.Count + 31) / 32 * 32 + (int)offset - file.Count]);
        return [.. file];
    }

    private static byte[] Of(string architecture)
    {
        var sample = new GgufSample().Add("general.architecture", architecture);
        foreach (var (name, value) in new (string, uint)[] { ("block_count", 1), ("embedding_length", 32), ("attention.head_count", 4), ("attention.head_count_kv", 2), ("feed_forward_length", 32), ("context_length", 64) })
            sample.Add($"{architecture}.{name}", value);
        sample.Add($"{architecture}.attention.layer_norm_rms_epsilon", 1e-5f);
        if (architecture == "gemma3") sample.Add("tokenizer.ggml.model", "llama").Add("tokenizer.ggml.scores", new[] { -1f, -2f, 0f, 0f }).Add("tokenizer.ggml.add_space_prefix", false).Add("tokenizer.ggml.bos_token_id", 3u);
        else sample.Add("tokenizer.ggml.model", "gpt2").Add("tokenizer.ggml.pre", "gpt-2").Add("tokenizer.ggml.merges", new[] { "a b" });
        return sample.Add("tokenizer.ggml.tokens", new[] { "a", "b", "ab", "<s>" }).Add("tokenizer.ggml.token_type", new[] { 1, 1, 1, 3 })
            .ToArray(("token_embd.weight", 0, 512, [32, 4]), ("blk.0.attn_q.weight", 8, 34, [32]), ("output_norm.weight", 1, 64, [32]));
    }

    private static uint TypeOf(object value) => value switch { uint => 4, int => 5, float => 6, bool => 7, _ => 8 };

    private static void Number(List<byte> bytes, uint value) => bytes.AddRange(BitConverter.GetBytes(value));

    private static void Text(List<byte> bytes, string text) =>
        bytes.AddRange([.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)]);

    private void Write(object value)
    {
        switch (value)
        {
            case uint number: Number(_entries, number); break;
            case int number: _entries.AddRange(BitConverter.GetBytes(number)); break;
            case float number: _entries.AddRange(BitConverter.GetBytes(number)); break;
            case bool flag: _entries.Add(flag ? (byte)1 : (byte)0); break;
            default: Text(_entries, (string)value); break;
        }
    }
}
