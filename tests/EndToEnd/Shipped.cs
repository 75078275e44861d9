using System.Reflection;
using Xunit;

namespace Deliberate.EndToEnd.Tests;

/// <summary>Where the repository keeps what it ships.</summary>
internal static class Shipped
{
    private static readonly Dictionary<string, string> Metadata = typeof(Shipped).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(item => item.Key, item => item.Value!);

    /// <summary>The top folder of the repository.</summary>
    public static string Repository => Metadata["Repository"];

    /// <summary>The built program.</summary>
    public static string Program => Path.Combine(Repository, Metadata["Program"]);

    /// <summary>The example policy.</summary>
    public static string Policy => Path.Combine(Repository, "policies", "example");

    /// <summary>The base model.</summary>
    public static string Model => Path.Combine(Repository, "models", "miniature");

    /// <summary>Skips the test where the base model is missing; where CI is set, that is a failure.</summary>
    public static void NeedModel()
    {
        if (File.Exists(Path.Combine(Model, "model.safetensors"))) return;
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail($"the shipped base model is missing: {Model}");
        Assert.Skip($"the shipped base model is missing: {Model}");
    }

    /// <summary>Copies a folder's files.</summary>
    public static string Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        return to;
    }
}
