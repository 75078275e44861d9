using System.Text;
using System.Text.RegularExpressions;
using Deliberate.Runs;

namespace Deliberate.Policies;

/// <summary>The layouts of policies that can be imported.</summary>
public enum ImportLayout
{
    /// <summary>A policy for gpt-oss-safeguard: goal, definitions, sections of what is allowed and what violates.</summary>
    Safeguard,

    /// <summary>The OpenAI Model Spec, or a document like it: headings with anchors and levels of authority.</summary>
    ModelSpec,
}

/// <summary>A policy made of somebody else's document.</summary>
/// <param name="Policy">The policy; its clauses say where they were taken from.</param>
/// <param name="Layout">The layout that the document was read by.</param>
/// <param name="Unmapped">Every line that is not in the policy, in ranges, with the reason.</param>
public sealed record ImportedPolicy(Policy Policy, ImportLayout Layout, IReadOnlyList<PolicyFinding> Unmapped)
{
    /// <summary>Writes the policy's files, so that <see cref="Policies.Policy.Load"/> reads them.</summary>
    /// <param name="folder">The folder; it must be empty or not there.</param>
    /// <exception cref="PolicyException">There is something in the folder.</exception>
    public void Write(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new PolicyException(folder, 0, "is not empty, and nothing is overwritten; give a new folder");
        foreach (var (name, text) in Policy.ToMarkdown()) AtomicFile.WriteText(Path.Combine(folder, name), text);
    }
}

/// <summary>
/// Makes policies of documents that others wrote: those for gpt-oss-safeguard and the OpenAI Model Spec. The actions of clauses are told by the words of
/// the document and want a look. Thread-safe.
/// </summary>
public static partial class PolicyImport
{
    // As for a policy's own files.
    private const int LargestFile = 1 << 20;

    /// <summary>Reads a document.</summary>
    /// <param name="path">The file.</param>
    /// <param name="under">Anchors: of a Model Spec, only sections with these or below them are taken; empty takes all.</param>
    /// <exception cref="PolicyException">The file cannot be read as a policy.</exception>
    public static ImportedPolicy Read(string path, params IReadOnlyList<string> under)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!File.Exists(path)) throw new PolicyException(path, 0, "there is no such file; name the document that is to be imported");
        if (new FileInfo(path).Length > LargestFile) throw new PolicyException(path, 0, $"the file is larger than {LargestFile >> 20} MiB; import part of it");
        try
        {
            return Parse(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)), path, under);
        }
        catch (DecoderFallbackException problem)
        {
            throw new PolicyException(path, 0, "the file is not UTF-8 text; save it as UTF-8", problem);
        }
    }

    /// <summary>Reads a document's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">The file that messages name; its name stands in the sources of clauses.</param>
    /// <param name="under">Anchors: of a Model Spec, only sections with these or below them are taken; empty takes all.</param>
    /// <exception cref="PolicyException">The text cannot be read as a policy.</exception>
    public static ImportedPolicy Parse(string text, string file, params IReadOnlyList<string> under)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentException.ThrowIfNullOrWhiteSpace(file);
        ArgumentNullException.ThrowIfNull(under);
        var ledger = new ImportLedger(file, text.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n'));
        var layout = Anchored().IsMatch(text) ? ImportLayout.ModelSpec : ImportLayout.Safeguard;
        if (layout == ImportLayout.Safeguard && under.Count > 0) throw new PolicyException(file, 0, $"has no headings with anchors, and so nothing under '{under[0]}'; leave the anchors out");
        var draft = layout == ImportLayout.ModelSpec ? new ModelSpecImport(ledger, under).Read() : new SafeguardImport(ledger).Read();
        if (ImportDraft.Line(draft.Title).Length == 0) draft.Title = Path.GetFileNameWithoutExtension(file) is { Length: > 0 } name ? name : "Policy";
        var files = draft.Files();
        if (files.Count == 1)
            throw new PolicyException(file, 0, "no rule was found in it; known are policies for gpt-oss-safeguard (sections such as VIOLATES and SAFE, or items such as 'AB1.a') and documents whose headings have anchors ('## Title {#anchor}')");
        return new(Policy.Parse(files, file), layout, ledger.Findings());
    }

    [GeneratedRegex(@"(?m)^#{1,6} .*\{#[\w-]+[^}\n]*\}[ \t\r]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Anchored();
}
