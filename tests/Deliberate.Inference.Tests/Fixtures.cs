using Xunit;

namespace Deliberate.Inference.Tests;

/// <summary>Reference data that lies beside the repository; a test that needs it is skipped where it is absent.</summary>
internal static class Fixtures
{
    /// <summary>A file or folder under <c>shared</c>.</summary>
    public static string Shared(params string[] parts)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine([folder.FullName, "shared", .. parts]);
            if (Path.Exists(path)) return path;
        }

        Assert.Skip($"shared/{string.Join('/', parts)} is not on this machine.");
        return "";
    }

    /// <summary>A tiny model of a family.</summary>
    public static string Model(string family) => Shared("fixtures", "models", family);
}
