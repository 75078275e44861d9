using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Deliberate.Inference.Models;
using Xunit;

namespace Deliberate.Inference.Tests.Models;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("model.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Single_precision_survives_to_the_bit()
    {
        float[] values = [0, -0f, 1.5f, float.Epsilon, float.MaxValue, float.NegativeInfinity, float.NaN];
        SafeTensors.Write(Path, [("a", [7], values), ("nothing", [0, 3], []), ("scalar", [], [42f])], StorageType.F32, new Dictionary<string, string> { ["seed"] = "7", ["note"] = "ü \"x\"" });
        var (tensors, metadata) = SafeTensors.Read(Path);
        Assert.Equal(values.Select(BitConverter.SingleToInt32Bits), tensors["a"].Values.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal([0, 3], tensors["nothing"].Shape);
        Assert.Equal([42f], tensors["scalar"].Values);
        Assert.Equal(("7", "ü \"x\""), (metadata["seed"], metadata["note"]));
    }

    [Fact]
    public void Bf16_is_the_nearest_value_and_stays_itself() =>
        Gen.Single.Array[0, 20].Sample(values =>
        {
            var path = _folder.File(Guid.NewGuid().ToString("N"));
            SafeTensors.Write(path, [("a", [values.Length], values)], StorageType.BF16);
            var once = SafeTensors.Read(path).Tensors["a"].Values;
            for (var i = 0; i < values.Length; i++)
            {
                if (float.IsNaN(values[i])) Assert.True(float.IsNaN(once[i]));
                else if (!float.IsInfinity(once[i])) Assert.True(Math.Abs((double)once[i] - values[i]) <= Math.Abs((double)values[i]) / 256 + 1e-40);
            }

            SafeTensors.Write(path, [("a", [values.Length], once)], StorageType.BF16);
            Assert.Equal(once, SafeTensors.Read(path).Tensors["a"].Values);
        }, iter: 200);

    [Theory]
    [InlineData(1f, 1f)]
    [InlineData(1.00390625f, 1f)] // half way: to even
    [InlineData(1.01171875f, 1.015625f)] // half way: to even
    [InlineData(1.005f, 1.0078125f)]
    [InlineData(float.MaxValue, float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity, float.NegativeInfinity)]
    public void Bf16_rounds_to_nearest_even(float value, float expected) =>
        Assert.Equal(expected, BFloat16.ToSingle(BFloat16.FromSingle(value)));

    [Fact]
    public void Half_precision_is_read()
    {
        File.WriteAllBytes(Path, Build("""{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}""", [.. BitConverter.GetBytes((Half)1.5f), .. BitConverter.GetBytes((Half)(-0.25f))]));
        Assert.Equal([1.5f, -0.25f], SafeTensors.Read(Path).Tensors["a"].Values);
    }

    [Fact]
    public void Data_starts_at_a_multiple_of_eight_bytes()
    {
        SafeTensors.Write(Path, [("abc", [1], [1f])], StorageType.F32);
        Assert.Equal(0ul, BinaryPrimitives.ReadUInt64LittleEndian(File.ReadAllBytes(Path)) % 8);
    }

    [Theory]
    [InlineData("[]", 0, "")]
    [InlineData("nonsense", 0, "")]
    [InlineData("", 0, "")]
    [InlineData("""{"a":7}""", 0, "")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""", 8, "I64")]
    [InlineData("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":7,"data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "negative")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[]}}""", 4, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":{"0":0}}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":["0","4"]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "-4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "4..0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "0..8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "needs 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "'b'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "'b'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 7, "3 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "twice")]
    [InlineData("""{"__metadata__":7}""", 0, "")]
    [InlineData("""{"__metadata__":{"x":7}}""", 0, "")]
    public void A_malformed_header_fails_with_one_line_that_names_the_file(string header, int data, string expected)
    {
        File.WriteAllBytes(Path, Build(header, new byte[data]));
        AssertOneLine(Path, Assert.Throws<InvalidDataException>(() => SafeTensors.Read(Path)), expected);
    }

    [Theory]
    [InlineData(0, 0ul)]
    [InlineData(7, 0ul)]
    [InlineData(8, 1ul)]
    [InlineData(64, ulong.MaxValue)]
    [InlineData(64, 1ul << 63)]
    [InlineData(64, 57ul)]
    public void A_header_longer_than_the_file_fails(int size, ulong claimed)
    {
        var bytes = new byte[size];
        if (size >= 8) BinaryPrimitives.WriteUInt64LittleEndian(bytes, claimed);
        File.WriteAllBytes(Path, bytes);
        AssertOneLine(Path, Assert.Throws<InvalidDataException>(() => SafeTensors.Read(Path)), "header");
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains("nowhere.safetensors", Assert.Throws<FileNotFoundException>(() => SafeTensors.Read(_folder.File("nowhere.safetensors"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Random_damage_is_refused_or_read_within_bounds()
    {
        SafeTensors.Write(Path, [("model.a", [2, 3], [1, 2, 3, 4, 5, 6]), ("model.b", [4], [7, 8, 9, 10])], StorageType.BF16, new Dictionary<string, string> { ["k"] = "v" });
        var good = File.ReadAllBytes(Path);
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, 4]).Array[1, 5].Sample(edits =>
        {
            var bytes = good.ToList();
            foreach (var (at, value, kind) in edits)
            {
                if (bytes.Count == 0) break;
                var place = Math.Min(at, bytes.Count - 1);
                if (kind == 0) bytes.RemoveRange(place, Math.Min(value, bytes.Count - place));
                else if (kind == 1) bytes.InsertRange(place, [value, value]);
                else bytes[place] = kind == 2 ? value : (byte)"0123456789[]{}\",-"[value % 17];
            }

            var path = _folder.File(Guid.NewGuid().ToString("N")); // samples run on several threads
            File.WriteAllBytes(path, [.. bytes]);
            try
            {
                foreach (var tensor in SafeTensors.Read(path).Tensors.Values)
                {
                    Assert.Equal(tensor.Shape.Aggregate(1L, (product, size) => product * size), tensor.Values.Length);
                    Assert.True(tensor.Values.Length * 2 <= bytes.Count);
                }
            }
            catch (InvalidDataException error)
            {
                AssertOneLine(path, error, "");
            }
        }, iter: 2_000);
    }

    private static byte[] Build(string header, byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        return [.. length, .. text, .. data];
    }

    private static void AssertOneLine(string path, InvalidDataException error, string expected)
    {
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
