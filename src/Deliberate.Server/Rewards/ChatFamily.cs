using System.Text.RegularExpressions;
using Deliberate.Conversations;

namespace Deliberate.Server.Rewards;

/// <summary>How one family of chat templates marks turns. Immutable.</summary>
internal sealed partial class ChatFamily
{
    // Roles that a text may name; a name that is not here is a tool's.
    private static readonly Dictionary<string, Role> Roles = new(StringComparer.OrdinalIgnoreCase)
    {
        ["system"] = Role.System,
        ["developer"] = Role.System,
        ["developer system"] = Role.System,
        ["user"] = Role.User,
        ["human"] = Role.User,
        ["assistant"] = Role.Assistant,
        ["model"] = Role.Assistant,
        ["chatbot"] = Role.Assistant,
        ["[INST]"] = Role.User,
        ["[/INST]"] = Role.Assistant,
        ["[SYSTEM_PROMPT]"] = Role.System,
        ["[AVAILABLE_TOOLS]"] = Role.System,
        ["[/TOOL_RESULTS]"] = Role.Assistant,
    };

    private static readonly string[] Starts = ["<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<｜begin▁of▁sentence｜>", "[gMASK]", "<sop>", "<|endoftext|>", "<BOS_TOKEN>", "<pad>"];

    private static readonly string[] Ends =
    [
        "</s>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|end_of_text|>", "<end_of_turn>", "<eos>", "<|end|>", "<|return|>",
        "<｜end▁of▁sentence｜>", "<|END_OF_TURN_TOKEN|>", "<pad>", "<|pad|>", "<|finetune_right_pad_id|>", "<｜▁pad▁｜>", "[PAD]", "<unk>", "<turn|>",
        "<seed:eos>", "<SPECIAL_12>", "[|endofturn|]", "<|eom|>", "<|assistant_end|>", "<|message_sep|>", "<|end_of_turn|>",
    ];

    // Tried in this order; the first whose header stands at the beginning of a prompt is taken.
    private static readonly ChatFamily[] All =
    [
        new(Harmony(), ["<|end|>", "<|return|>", "<|call|>"], channels: true),
        new(ChatMl(), ["<|im_end|>"]),
        new(Llama3(), ["<|eot_id|>", "<|eom_id|>", "<|eot|>"]),
        new(Gemma(), ["<end_of_turn>", "<turn|>"]),
        new(Granite(), ["<|end_of_text|>"]),
        new(Command(), ["<|END_OF_TURN_TOKEN|>", "<|END_RESPONSE|>", "<|END_TEXT|>"], textStarts: ["<|START_RESPONSE|>", "<|START_TEXT|>"]),
        new(DeepSeek(), ["<｜end▁of▁sentence｜>"], bareSystem: true),
        new(NamedRole(), ["<|end|>", "<|eot_id|>", "<|endoftext|>", "[|endofturn|]", "<|eom|>", "<seed:eos>", "<SPECIAL_12>", "<|system_end|>", "<|developer_end|>", "<|user_end|>", "<|assistant_end|>"]),
        new(GigaChat(), ["<|message_sep|>"]),
        new(OpenChat(), ["<|end_of_turn|>"], bareSystem: true),
        new(Inst(), [], bareSystem: true, answerEnd: "</s>"),
    ];

    private readonly string[] _ends;
    private readonly string? _answerEnd;
    private readonly bool _bareSystem;
    private readonly string[] _textStarts;

    private ChatFamily(Regex header, string[] ends, bool channels = false, bool bareSystem = false, string? answerEnd = null, string[]? textStarts = null) =>
        (Header, _ends, HasChannels, _bareSystem, _answerEnd, _textStarts) = (header, ends, channels, bareSystem, answerEnd, textStarts ?? []);

    /// <summary>Finds what begins a turn.</summary>
    public Regex Header { get; }

    /// <summary>Whether the header of a turn may name a channel.</summary>
    public bool HasChannels { get; }

    /// <summary>The family by which a prompt is rendered and its first header, or null when it is plain text that at most speaks of such marks.</summary>
    public static (ChatFamily Family, Match First)? Of(string prompt)
    {
        if (!prompt.AsSpan().ContainsAny('<', '[')) return null;
        foreach (var family in All)
            if (family.Header.Match(prompt) is { Success: true } first && (first.Index == 0 || family.Begins(prompt.AsSpan(0, first.Index)))) return (family, first);
        return null;
    }

    /// <summary>The text without tokens that begin a sequence.</summary>
    public static ReadOnlySpan<char> TrimStart(ReadOnlySpan<char> text)
    {
        for (var length = StartOf(text); length > 0; length = StartOf(text)) text = text[length..];
        return text;
    }

    /// <summary>The text without tokens that end a sequence or fill it up.</summary>
    public static ReadOnlySpan<char> TrimEnd(ReadOnlySpan<char> text)
    {
        text = text.TrimEnd();
        for (var length = EndOf(text); length > 0; length = EndOf(text)) text = text[..^length].TrimEnd();
        return text;
    }

    /// <summary>The same, without a copy where there is nothing to trim.</summary>
    public static string TrimEnd(string text) => TrimEnd(text.AsSpan()) is var rest && rest.Length == text.Length ? text : rest.ToString();

    /// <summary>Who speaks after this header; null when it only ends something.</summary>
    public static Role? RoleOf(Match header)
    {
        var name = header.Groups["role"].ValueSpan.Trim();
        if (name.StartsWith("[/") && !name.SequenceEqual("[/INST]") && !name.SequenceEqual("[/TOOL_RESULTS]")) return null;
        return Roles.TryGetValue(name.ToString(), out var role) ? role : Role.Tool;
    }

    /// <summary>False for what a model wrote to itself.</summary>
    public bool IsShown(Match header) =>
        !HasChannels || !header.Groups["role"].ValueSpan.Trim().StartsWith("assistant") || header.Groups["channel"].ValueSpan.Trim().StartsWith("final") || !header.Groups["channel"].Success;

    /// <summary>A turn's text: up to the last token that ends a turn, since the turn is known to go up to the next header.</summary>
    public ReadOnlySpan<char> Content(ReadOnlySpan<char> turn, Role role)
    {
        var end = _answerEnd is { } last && role == Role.Assistant ? turn.LastIndexOf(last) : -1;
        foreach (var token in _ends) end = Math.Max(end, turn.LastIndexOf(token));
        return Text(end >= 0 ? turn[..end] : TrimEnd(turn));
    }

    /// <summary>An answer's text: up to the first token that ends a turn, where generation stopped.</summary>
    public string Answer(string answer)
    {
        var end = answer.Length;
        foreach (var token in _ends)
            if (answer.IndexOf(token, StringComparison.Ordinal) is var at and >= 0 && at < end) end = at;
        var text = Text(TrimEnd(answer.AsSpan(0, end)));
        return text.Length == answer.Length ? answer : text.ToString();
    }

    /// <summary>Llama 2 puts the system's text into the user's first turn: where each stands in it, or null.</summary>
    public (Range System, Range User)? SystemInUser(ReadOnlySpan<char> text)
    {
        const string open = "<<SYS>>", close = "<</SYS>>";
        if (!_bareSystem || !text.TrimStart().StartsWith(open)) return null;
        var (start, end) = (text.IndexOf(open) + open.Length, text.IndexOf(close));
        return end < start ? null : (start..end, (end + close.Length)..);
    }

    // Without the tokens that some put around a turn's text, inside the turn.
    private ReadOnlySpan<char> Text(ReadOnlySpan<char> turn)
    {
        foreach (var token in _textStarts)
            if (turn.TrimStart().StartsWith(token)) turn = turn.TrimStart()[token.Length..];
        if (_textStarts.Length == 0) return turn;
        for (var trimmed = turn.TrimEnd(); ; trimmed = turn.TrimEnd())
        {
            var length = 0;
            foreach (var token in _ends)
                if (trimmed.EndsWith(token)) length = token.Length;
            if (length == 0) return turn;
            turn = trimmed[..^length];
        }
    }

    private bool Begins(ReadOnlySpan<char> before) => TrimStart(before).IsWhiteSpace() || (_bareSystem && StartOf(before) > 0);

    // The length of the token at the beginning, with the white space before it; 0 when there is none.
    private static int StartOf(ReadOnlySpan<char> text)
    {
        var trimmed = text.TrimStart();
        if (trimmed.Length == 0 || trimmed[0] is not ('<' or '[')) return 0;
        foreach (var token in Starts)
            if (trimmed.StartsWith(token)) return text.Length - trimmed.Length + token.Length;
        return 0;
    }

    private static int EndOf(ReadOnlySpan<char> text)
    {
        if (text.Length == 0 || text[^1] is not ('>' or ']')) return 0;
        foreach (var token in Ends)
            if (text.EndsWith(token)) return token.Length;
        return 0;
    }

    [GeneratedRegex(@"<\|start\|>(?<role>[^<]{1,80})(?:<\|channel\|>(?<channel>[^<]{0,80}))?(?:<\|constrain\|>[^<]{0,80})?<\|message\|>|<\|start\|>(?<role>assistant)\s*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Harmony();

    [GeneratedRegex(@"<\|im_start\|>(?<role>[^\n<|]{1,40})(?:<\|im_sep\|>|\n|\z)|<\|im_(?:user|assistant|system)\|>(?<role>[^\n<|]{1,40})<\|im_middle\|>", RegexOptions.CultureInvariant)]
    private static partial Regex ChatMl();

    [GeneratedRegex(@"<\|start_header_id\|>(?<role>[^<]{1,40})<\|end_header_id\|>\n{0,2}|<\|header_start\|>(?<role>[^<]{1,40})<\|header_end\|>\n{0,2}", RegexOptions.CultureInvariant)]
    private static partial Regex Llama3();

    [GeneratedRegex(@"<start_of_turn>(?<role>\w{1,40})(?:\n|\z)|<\|turn>(?<role>\w{1,40})(?:\n|\z)", RegexOptions.CultureInvariant)]
    private static partial Regex Gemma();

    [GeneratedRegex(@"<\|start_of_role\|>(?<role>[^<]{1,40})<\|end_of_role\|>", RegexOptions.CultureInvariant)]
    private static partial Regex Granite();

    [GeneratedRegex(@"<\|START_OF_TURN_TOKEN\|><\|(?<role>USER|CHATBOT|SYSTEM)_TOKEN\|>", RegexOptions.CultureInvariant)]
    private static partial Regex Command();

    [GeneratedRegex(@"<｜(?<role>User|Assistant)｜>", RegexOptions.CultureInvariant)]
    private static partial Regex DeepSeek();

    // Phi, Zephyr, GLM; Apriel; Apertus; Jamba; EXAONE; Seed-OSS; Nemotron.
    [GeneratedRegex(@"(?:<\|bom\|>)?<\|(?:begin_)?(?<role>system|developer|user|assistant|model|observation|tool)(?:_start)?\|>\n?|\[\|(?<role>system|user|assistant|tool)\|\]\n?|<(?:seed:bos|SPECIAL_1[01])>(?<role>\w{1,40})(?:\n|\z)", RegexOptions.CultureInvariant)]
    private static partial Regex NamedRole();

    [GeneratedRegex(@"(?<=\A\s{0,9}(?:<s>)?\s{0,9}|<\|message_sep\|>\s{0,9})(?<role>[\w ]{1,40})<\|role_sep\|>\n?", RegexOptions.CultureInvariant)]
    private static partial Regex GigaChat();

    [GeneratedRegex(@"(?<=\A\s{0,9}(?:<s>)?\s{0,9}|<\|end_of_turn\|>\s{0,9})GPT4 Correct (?<role>User|Assistant):", RegexOptions.CultureInvariant)]
    private static partial Regex OpenChat();

    [GeneratedRegex(@"(?<role>\[/?INST\]|\[/?SYSTEM_PROMPT\]|\[/?TOOL_RESULTS\]|\[/?AVAILABLE_TOOLS\])", RegexOptions.CultureInvariant)]
    private static partial Regex Inst();
}
