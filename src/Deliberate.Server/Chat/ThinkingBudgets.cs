namespace Deliberate.Server.Chat;

/// <summary>How many tokens of thought each <c>reasoning_effort</c> allows. At the limit the thought is ended and the answer begun. Immutable.</summary>
public sealed record ThinkingBudgets
{
    /// <summary>The words for effort, from none to most.</summary>
    public static IReadOnlyList<string> Words { get; } = ["none", "minimal", "low", "medium", "high", "xhigh"];

    /// <summary>Tokens by word. A word that is not in it sets no limit.</summary>
    public IReadOnlyDictionary<string, int> Tokens { get; init; } = new Dictionary<string, int>
    {
        ["none"] = 0,
        ["minimal"] = 64,
        ["low"] = 512,
        ["medium"] = 2048,
        ["high"] = 8192,
    };

    /// <summary>Reads "low=32,high=256": what it does not name stays.</summary>
    /// <exception cref="FormatException">It cannot be read; the message says what is wrong.</exception>
    public ThinkingBudgets With(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokens = new Dictionary<string, int>(Tokens);
        foreach (var pair in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (pair.Split('=') is not [var word, var number] || !Words.Contains(word) || !int.TryParse(number, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var budget))
                throw new FormatException($"'{pair}' sets no thinking budget: write EFFORT=TOKENS, with an effort of {string.Join(", ", Words)}.");
            tokens[word] = budget;
        }

        return this with { Tokens = tokens };
    }
}
