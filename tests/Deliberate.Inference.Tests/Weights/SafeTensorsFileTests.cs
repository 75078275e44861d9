using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Deliberate.Inference.Weights;
using Xunit;

namespace Deliberate.Inference.Tests.Weights;

public sealed class SafeTensorsFileTests : IDisposable
{
    private static readonly string[] Stricter = ["duplicate_key", "extra_field"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_case_of_the_reference_is_read_or_refused_alike()
    {
        var folder = Fixtures.Shared("fixtures", "safetensors");
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        var count = 0;
        foreach (var entry in cases.RootElement.EnumerateObject())
        {
            count++;
            var path = Path.Combine(folder, entry.Name + ".safetensors");
            if (!entry.Value.GetProperty("ok").GetBoolean() || Stricter.Contains(entry.Name))
            {
                var error = Assert.Throws<InvalidDataException>(() => SafeTensorsFile.Open(path));
                Assert.StartsWith(path + ": not a valid safetensors file: ", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', error.Message);
                continue;
            }

            using var file = SafeTensorsFile.Open(path);
            var tensors = entry.Value.GetProperty("tensors").EnumerateObject().ToArray();
            Assert.Equal(tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal), file.Tensors.Keys.Order(StringComparer.Ordinal));
            foreach (var tensor in tensors)
            {
                Assert.Equal(tensor.Value.GetProperty("dtype").GetString(), file[tensor.Name].Type.HeaderName());
                Assert.Equal(tensor.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()), file[tensor.Name].Shape);
                Assert.Equal(tensor.Value.GetProperty("bytes_hex").GetString(), Convert.ToHexStringLower(file.Bytes(tensor.Name)));
            }

            var metadata = entry.Value.GetProperty("metadata");
            var expected = metadata.ValueKind == JsonValueKind.Null ? [] : metadata.EnumerateObject().ToDictionary(item => item.Name, item => item.Value.GetString()!);
            Assert.Equal(expected.OrderBy(item => item.Key, StringComparer.Ordinal), file.Metadata.OrderBy(item => item.Key, StringComparer.Ordinal));
        }

        Assert.Equal(41, count);
    }

    [Theory]
    [InlineData("llama2")]
    [InlineData("llama3")]
    [InlineData("mistral-head")]
    [InlineData("gemma3")]
    public void What_is_written_is_what_the_reference_writes(string family)
    {
        var source = Path.Combine(Fixtures.Model(family), "model.safetensors");
        using var file = SafeTensorsFile.Open(source);
        SafeTensorsWriter.Write(_folder.File("again"), file.Tensors.Values.Select(tensor => new TensorToWrite(tensor.Name, tensor.Type, tensor.Shape, () => file.Values(tensor.Name))).Reverse(), file.Metadata);
        Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes(_folder.File("again")));
    }

    [Fact]
    public void Types_are_ordered_by_alignment()
    {
        TensorToWrite Tensor(string name, TensorType type) => new(name, type, [1], () => [1]);
        SafeTensorsWriter.Write(_folder.File("a"), [Tensor("b", TensorType.F16), Tensor("c", TensorType.F32), Tensor("a", TensorType.F16)]);
        using var file = SafeTensorsFile.Open(_folder.File("a"));
        Assert.Equal(["c", "a", "b"], file.Tensors.Values.OrderBy(tensor => tensor.Start).Select(tensor => tensor.Name));
    }

    [Fact]
    public void Eight_bit_floats_widen_exactly()
    {
        Span<float> value = stackalloc float[1];
        foreach (var (code, expected) in new (byte, float)[] { (0x00, 0), (0x01, 1 / 512f), (0x07, 7 / 512f), (0x08, 1 / 64f), (0x38, 1), (0x7E, 448), (0x7F, float.NaN), (0xB8, -1), (0xFE, -448) })
        {
            TensorType.F8E4M3.ToSingle([code], value);
            Assert.Equal(expected, value[0]);
        }

        foreach (var (code, expected) in new (byte, float)[] { (0x01, MathF.ScaleB(1, -16)), (0x3C, 1), (0x7B, 57344), (0x7C, float.PositiveInfinity), (0x7F, float.NaN), (0xBC, -1) })
        {
            TensorType.F8E5M2.ToSingle([code], value);
            Assert.Equal(expected, value[0]);
        }
    }

    [Theory]
    [InlineData("F4", "belongs to the format but is not read here")]
    [InlineData("F6_E2M3", "belongs to the format but is not read here")]
    [InlineData("C64", "belongs to the format but is not read here")]
    [InlineData("F7", "is not known")]
    public void A_type_that_is_not_read_is_named(string type, string expected)
    {
        File.WriteAllBytes(_folder.File("a"), Build($$$"""{"w":{"dtype":"{{{type}}}","shape":[2],"data_offsets":[0,1]}}""", [0]));
        var message = Assert.Throws<InvalidDataException>(() => SafeTensorsFile.Open(_folder.File("a"))).Message;
        Assert.Contains("tensor 'w'", message, StringComparison.Ordinal);
        Assert.Contains(type, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_are_read_as_one_model_and_written_again()
    {
        using var shards = TensorFolder.Open(Fixtures.Model("qwen3"));
        Assert.Equal(10, shards.Files.Count);
        TensorToWrite Again(string name) => new(name, shards[name].Type, shards[name].Shape, () => shards.FileOf(name).Values(name));
        SafeTensorsWriter.WriteModel(_folder.Path, shards.Names.Select(Again), 24_000);
        using var again = TensorFolder.Open(_folder.Path);
        Assert.True(again.Files.Count > 1);
        Assert.Equal(shards.Names.Order(StringComparer.Ordinal), again.Names.Order(StringComparer.Ordinal));
        foreach (var name in shards.Names) Assert.True(shards.FileOf(name).Bytes(name).SequenceEqual(again.FileOf(name).Bytes(name)));
    }

    [Theory]
    [InlineData("""{"weight_map":{"w":"../a.safetensors"}}""", "not the name of a file")]
    [InlineData("""{"weight_map":{"w":"/etc/passwd"}}""", "not the name of a file")]
    [InlineData("""{"weight_map":{"w":"..\\a"}}""", "not the name of a file")]
    [InlineData("""{"weight_map":{"w":".."}}""", "not the name of a file")]
    [InlineData("""{"weight_map":{"w":7}}""", "no text")]
    [InlineData("""{"weight_map":[]}""", "weight_map")]
    [InlineData("""{}""", "weight_map")]
    [InlineData("""[""", "not a valid index")]
    [InlineData("""{"weight_map":{"x":"a.safetensors"}}""", "tensor 'x' is not in 'a.safetensors'")]
    [InlineData("""{"weight_map":{"w":"a.safetensors"}}""", "tensor 'v' of 'a.safetensors' is not in the weight_map")]
    [InlineData("""{"weight_map":{"w":"a.safetensors","w":"a.safetensors"}}""", "twice")]
    public void A_wrong_index_is_refused(string index, string expected)
    {
        SafeTensorsWriter.Write(_folder.File("a.safetensors"), [new("w", TensorType.F32, [1], () => [1]), new("v", TensorType.F32, [1], () => [1])]);
        File.WriteAllText(_folder.File("model.safetensors.index.json"), index);
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => TensorFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_are_read_and_bounds_kept()
    {
        SafeTensorsWriter.Write(_folder.File("a"), [new("w", TensorType.BF16, [2, 3], () => [1, 2, 3, 4, 5, 6])]);
        using var file = SafeTensorsFile.Open(_folder.File("a"));
        var values = new float[2];
        file.Read("w", 3, values);
        Assert.Equal([4, 5], values);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("w", 5, new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("w", -1, new float[2]));
        Assert.Throws<InvalidDataException>(() => file.Values("x"));
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Values("w"));
    }

    internal static byte[] Build(string header, byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        return [.. length, .. text, .. data];
    }
}
