using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Deliberate.Server.Report;

/// <summary>
/// Puts a style sheet or script of this assembly into the page. The page's security policy names them by hash, so that nothing else runs,
/// whatever text a model or a policy brings along.
/// </summary>
public sealed class InlineAsset : ComponentBase
{
    /// <summary>"report.css" or "report.js".</summary>
    [Parameter, EditorRequired]
    public string Name { get; set; } = "";

    /// <summary>The content of an asset, with line feeds alone.</summary>
    public static string Read(string name)
    {
        using var stream = typeof(InlineAsset).Assembly.GetManifestResourceStream(name) ?? throw new ArgumentException($"'{name}' is no asset of the report page.", nameof(name));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    /// <summary>The asset's hash as a content security policy names it.</summary>
    public static string Hash(string name) => "'sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Read(name)))) + "'";

    /// <inheritdoc/>
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var tag = Name.EndsWith(".css", StringComparison.Ordinal) ? "style" : "script";
        builder.AddMarkupContent(0, $"<{tag}>{Read(Name)}</{tag}>");
    }
}
