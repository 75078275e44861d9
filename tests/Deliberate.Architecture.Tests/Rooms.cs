using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Deliberate.Architecture.Tests;

/// <summary>The projects under src/ and what each refers to, read from its project file and from its built assembly.</summary>
internal static class Rooms
{
    /// <summary>The height of each room: references go from higher to lower.</summary>
    public static readonly IReadOnlyDictionary<string, int> Heights = new Dictionary<string, int>
    {
        ["Deliberate"] = 0,
        ["Deliberate.Inference"] = 1,
        ["Deliberate.Endpoints"] = 2,
        ["Deliberate.Miniature"] = 2,
        ["Deliberate.Training"] = 2,
        ["Deliberate.Pipeline"] = 3,
        ["Deliberate.Server"] = 4,
        ["Deliberate.Cli"] = 5,
    };

    private static readonly Dictionary<string, string> Metadata = typeof(Rooms).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(item => item.Key, item => item.Value!);

    /// <summary>The project files under src/ by the name of their project.</summary>
    public static IReadOnlyDictionary<string, string> Projects { get; } =
        Directory.EnumerateFiles(Path.Combine(Metadata["Repository"], "src"), "*.csproj", SearchOption.AllDirectories).ToDictionary(path => Path.GetFileNameWithoutExtension(path));

    /// <summary>Names of the projects that a project refers to.</summary>
    public static IEnumerable<string> ProjectReferences(string project) => Items(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')));

    /// <summary>Names of packages and shared frameworks that a project refers to.</summary>
    public static IEnumerable<string> Packages(string project) => Items(project, "PackageReference").Concat(Items(project, "FrameworkReference"));

    /// <summary>Names of the assemblies that a built project really uses.</summary>
    public static IReadOnlyList<string> AssemblyReferences(string project)
    {
        using var file = File.OpenRead(Path.Combine(Metadata["Repository"], "src", "Deliberate.Cli", Metadata["Built"], project + ".dll"));
        using var assembly = new PEReader(file);
        var reader = assembly.GetMetadataReader();
        return [.. reader.AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name))];
    }

    private static IEnumerable<string> Items(string project, string kind) => XDocument.Load(Projects[project]).Descendants(kind).Select(item => (string)item.Attribute("Include")!);
}
