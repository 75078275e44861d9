namespace Deliberate.Inference.Files;

/// <summary>Keeps messages that quote a damaged file to one line of readable length.</summary>
internal static class OneLine
{
    private const int Longest = 300;

    /// <summary>The message without line breaks and other control characters, cut off where it gets long.</summary>
    public static string Of(string message)
    {
        var text = string.Concat(message.Take(Longest).Select(letter => char.IsControl(letter) || letter is '\u2028' or '\u2029' ? ' ' : letter));
        return message.Length > Longest ? text + "..." : text;
    }
}
