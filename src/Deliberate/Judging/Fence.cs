using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Deliberate.Judging;

/// <summary>
/// Sets untrusted text apart in a prompt. Its tag is drawn from the seed and the texts themselves and stands in none of them, so that
/// nobody who writes one of the texts can close the fence from inside. What chat templates take for the end of a message
/// or of a thought (<c>&lt;|im_end|&gt;</c>, <c>[/INST]</c>, <c>&lt;/think&gt;</c>…) is broken by a space, since many servers read such words as control tokens wherever they stand. Immutable.
/// </summary>
public sealed partial class Fence
{
    private Fence(string tag) => Tag = tag;

    /// <summary>Eight hex digits that occur in none of the texts.</summary>
    public string Tag { get; }

    /// <summary>A fence for texts that will stand in one prompt; the same texts and seed give the same fence.</summary>
    public static Fence For(int seed, params IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(seed));
        foreach (var text in texts) hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var digest = hash.GetHashAndReset();
        while (true)
        {
            var tag = Convert.ToHexStringLower(digest)[..8];
            if (!texts.Any(text => text.Contains(tag, StringComparison.OrdinalIgnoreCase))) return new Fence(tag);
            digest = SHA256.HashData(digest);
        }
    }

    /// <summary>The text between the fence's opening and closing lines.</summary>
    /// <param name="label">What the text is, in a word: "answer".</param>
    /// <param name="text">The untrusted text, one of those that the fence was made for.</param>
    /// <exception cref="ArgumentException">The text contains the tag, so the fence was not made for it.</exception>
    public string Wrap(string label, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Contains(Tag, StringComparison.OrdinalIgnoreCase)
            ? throw new ArgumentException("The text contains the fence's tag: make the fence for all the texts of the prompt.", nameof(text))
            : $"<{label}-{Tag}>\n{Disarm(text)}\n</{label}-{Tag}>";
    }

    /// <summary>The text with a space in every control token of a chat template and every mark of a thought: "&lt; |im_end|&gt;".</summary>
    public static string Disarm(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return ControlTokens().Replace(text, "$0 ");
    }

    // The first character of a control token: harmony and ChatML, DeepSeek, Llama, Gemma, sentencepiece; and of the marks of thoughts, which would
    // cut the reply of a judge that quotes them.
    [GeneratedRegex(
        @"<(?=[|\uFF5C][^\s<>()|\uFF5C]{1,64}[|\uFF5C]>)|\[(?=/?(?:INST|THINK)\])|<(?=/?(?:s|bos|eos|start_of_turn|end_of_turn|think|thinking|thought|reasoning)>)|<(?=</?SYS>>)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ControlTokens();
}
