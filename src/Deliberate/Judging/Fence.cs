using System.Security.Cryptography;
using System.Text;

namespace Deliberate.Judging;

/// <summary>
/// Sets untrusted text apart in a prompt. Its tag is drawn from the seed and the texts themselves and stands in none of them, so that
/// nobody who writes one of the texts can close the fence from inside. Immutable.
/// </summary>
public sealed class Fence
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
            : $"<{label}-{Tag}>\n{text}\n</{label}-{Tag}>";
    }
}
