using System.Text;
using Deliberate.Inference.Tokenization.Patterns;

namespace Deliberate.Inference.Tokenization;

/// <summary>Reads the parts of a <c>tokenizer.json</c> around its model.</summary>
internal static class TokenizerParts
{
    private static readonly Pattern Gpt2 = Pattern.Parse(BpeTrainer.Gpt2Pattern);
    private static readonly Pattern Words = Pattern.Parse(@"[\w\u200C\u200D]+|[^\w\s\u200C\u200D]+");

    public static Normalizer Normalizer(Section section)
    {
        switch (section.Type)
        {
            case "Sequence":
                section.Only("type", "normalizers");
                return new NormalizerSequence([.. section.Objects("normalizers").Select(Normalizer)]);
            case "NFC" or "NFD" or "NFKC" or "NFKD":
                section.Only("type");
                return new FormNormalizer(section.Type.Contains('K'), section.Type.EndsWith('C'));
            case "Lowercase":
                section.Only("type");
                return new LowercaseNormalizer();
            case "StripAccents":
                section.Only("type");
                return new StripAccentsNormalizer();
            case "ByteLevel":
                section.Only("type");
                return new ByteLevelNormalizer();
            case "Strip":
                section.Only("type", "strip_left", "strip_right");
                return new StripNormalizer(section.Flag("strip_left"), section.Flag("strip_right"));
            case "Prepend":
                section.Only("type", "prepend");
                return new PrependNormalizer(section.Text("prepend"));
            case "Replace":
                return new ReplaceNormalizer(Replacement(section));
            default:
                throw Unknown(section, "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, ByteLevel and Sequence");
        }
    }

    /// <summary>Adds the steps of a pre-tokenizer, a sequence's in turn.</summary>
    public static void AddPreTokenizers(Section section, List<PreTokenizer> steps)
    {
        switch (section.Type)
        {
            case "Sequence":
                section.Only("type", "pretokenizers");
                foreach (var part in section.Objects("pretokenizers")) AddPreTokenizers(part, steps);
                break;
            case "ByteLevel":
                CheckByteLevel(section);
                if (section.Flag("add_prefix_space")) steps.Add(new SpacePrefixer());
                if (section.Flag("use_regex", true)) steps.Add(new PatternSplitter(Gpt2, SplitBehavior.Isolated));
                steps.Add(new ByteMapper());
                break;
            case "Split":
                section.Only("type", "pattern", "behavior", "invert");
                steps.Add(new PatternSplitter(PatternOf(section, out _), Behavior(section), section.Flag("invert")));
                break;
            case "Metaspace":
                steps.AddRange(Metaspace(section));
                break;
            case "Digits":
                section.Only("type", "individual_digits");
                steps.Add(new SetSplitter(NamedSets.Number, section.Flag("individual_digits") ? SplitBehavior.Isolated : SplitBehavior.Contiguous));
                break;
            case "Punctuation":
                section.Only("type", "behavior");
                steps.Add(new SetSplitter(NamedSets.Punctuation, section.Find("behavior") is null ? SplitBehavior.Isolated : Behavior(section)));
                break;
            case "Whitespace":
                section.Only("type");
                steps.Add(new PatternSplitter(Words, SplitBehavior.Removed, invert: true));
                break;
            case "WhitespaceSplit":
                section.Only("type");
                steps.Add(new SetSplitter(NamedSets.Space, SplitBehavior.Removed));
                break;
            case "BertPreTokenizer":
                section.Only("type");
                steps.Add(new SetSplitter(NamedSets.Space, SplitBehavior.Removed));
                steps.Add(new SetSplitter(NamedSets.Punctuation, SplitBehavior.Isolated));
                break;
            default:
                throw Unknown(section, "ByteLevel, Split, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit, BertPreTokenizer and Sequence");
        }
    }

    /// <summary>The ids that a post-processor puts before and after a text.</summary>
    public static (int[] Before, int[] After) PostProcessor(Section section)
    {
        switch (section.Type)
        {
            case "ByteLevel":
                CheckByteLevel(section);
                return ([], []); // moves offsets only
            case "Sequence":
                section.Only("type", "processors");
                return section.Objects("processors").Select(PostProcessor).Aggregate((Before: (int[])[], After: (int[])[]), (inner, outer) => ([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After]));
            case "BertProcessing":
                section.Only("type", "sep", "cls");
                return ([MarkId(section, "cls")], [MarkId(section, "sep")]);
            case "RobertaProcessing":
                section.Only("type", "sep", "cls", "trim_offsets", "add_prefix_space");
                return ([MarkId(section, "cls")], [MarkId(section, "sep")]);
            case "TemplateProcessing":
                return Template(section);
            default:
                throw Unknown(section, "TemplateProcessing, ByteLevel, BertProcessing, RobertaProcessing and Sequence");
        }
    }

    /// <summary>Makes a new chain of stages before a given one.</summary>
    public static Func<DecoderStage, DecoderStage> Decoder(Section section)
    {
        switch (section.Type)
        {
            case "Sequence":
                section.Only("type", "decoders");
                var parts = section.Objects("decoders").Select(Decoder).ToArray();
                return next => parts.Reverse().Aggregate(next, (stage, part) => part(stage));
            case "ByteLevel":
                CheckByteLevel(section);
                return next => new ByteLevelStage(next);
            case "Replace":
                var replacement = Replacement(section);
                return next => new ReplaceStage(next, replacement);
            case "ByteFallback":
                section.Only("type");
                return next => new ByteFallbackStage(next);
            case "Fuse":
                section.Only("type");
                return next => new FuseStage(next);
            case "Strip":
                section.Only("type", "content", "start", "stop");
                var (letter, start, stop) = (Letter(section, "content"), section.Number("start"), section.Number("stop"));
                return start >= 0 && stop >= 0 ? next => new StripStage(next, letter, start, stop) : throw new InvalidDataException($"{section.Place} strips a negative number of characters.");
            case "Metaspace":
                Metaspace(section);
                var (sign, prefixed) = (Letter(section, "replacement").ToString(), Scheme(section) != "never");
                return next => new SpaceMarkerStage(next, sign, prefixed);
            case "BPEDecoder":
                section.Only("type", "suffix");
                var suffix = section.Text("suffix");
                return next => new WordSuffixStage(next, suffix);
            default:
                throw Unknown(section, "ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace, BPEDecoder and Sequence");
        }
    }

    private static List<PreTokenizer> Metaspace(Section section)
    {
        section.Only("type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep");
        var (sign, scheme) = (Letter(section, "replacement"), Scheme(section));
        List<PreTokenizer> steps = [new SpaceMarker(sign.ToString(), scheme == "always", scheme == "first")];
        if (section.Flag("split", true)) steps.Add(new SetSplitter(new CodePointSet().Add(sign.Value), SplitBehavior.MergedWithNext));
        return steps;
    }

    private static string Scheme(Section section)
    {
        var scheme = section.FindText("prepend_scheme");
        if (scheme is not (null or "always" or "first" or "never")) throw new InvalidDataException($"{section.Path("prepend_scheme")} is '{scheme}'; always, first or never is expected.");
        if (section.Flag("add_prefix_space", true)) return scheme ?? "always";
        return scheme == "never" ? scheme : throw new InvalidDataException($"{section.Path("add_prefix_space")} is false, which goes with prepend_scheme 'never' only.");
    }

    private static (int[] Before, int[] After) Template(Section section)
    {
        // Command R's files have the last three, which mean nothing here.
        section.Only("type", "single", "pair", "special_tokens", "add_prefix_space", "trim_offsets", "use_regex");
        var special = section.Object("special_tokens");
        List<int> before = [], after = [];
        var texts = 0;
        foreach (var piece in section.Objects("single"))
        {
            piece.Only("SpecialToken", "Sequence");
            if (piece.FindObject("Sequence") is { } sequence)
            {
                texts++;
                sequence.Only("id", "type_id");
                if (sequence.Text("id") != "A") throw new InvalidDataException($"{sequence.Path("id")} is '{sequence.Text("id")}'; only A is supported.");
                continue;
            }

            var token = piece.Object("SpecialToken");
            token.Only("id", "type_id");
            var entry = special.Object(token.Text("id"));
            entry.Only("id", "ids", "tokens");
            foreach (var (id, place) in entry.Array("ids"))
                (texts == 0 ? before : after).Add(Section.AsNumber(id, place) is >= 0 and var number ? number : throw new InvalidDataException($"{place} is negative."));
        }

        return texts == 1 ? ([.. before], [.. after]) : throw new InvalidDataException($"{section.Path("single")} holds the text {texts} times; once is supported.");
    }

    private static int MarkId(Section section, string name)
    {
        var pair = section.Array(name).ToArray();
        if (pair.Length != 2) throw new InvalidDataException($"{section.Path(name)} is no pair of token and id.");
        Section.AsText(pair[0].Element, pair[0].Place);
        return Section.AsNumber(pair[1].Element, pair[1].Place) is >= 0 and var id ? id : throw new InvalidDataException($"{pair[1].Place} is negative.");
    }

    private static void CheckByteLevel(Section section)
    {
        section.Only("type", "add_prefix_space", "trim_offsets", "use_regex");
        section.Flag("add_prefix_space");
        section.Flag("trim_offsets");
        section.Flag("use_regex", true);
    }

    private static SplitBehavior Behavior(Section section) => section.Text("behavior") switch
    {
        "Removed" => SplitBehavior.Removed,
        "Isolated" => SplitBehavior.Isolated,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        var other => throw new InvalidDataException($"{section.Path("behavior")} is '{other}'; Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous is expected."),
    };

    private static Replacement Replacement(Section section)
    {
        section.Only("type", "pattern", "content");
        return new(PatternOf(section, out var literal), literal, section.Text("content"));
    }

    private static Pattern PatternOf(Section section, out string? literal)
    {
        var pattern = section.Object("pattern");
        pattern.Only("String", "Regex");
        literal = pattern.FindText("String");
        if (literal is not null) return Pattern.Literal(literal);
        try
        {
            return Pattern.Parse(pattern.Text("Regex"));
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{pattern.Path("Regex")}: {error.Message}", error);
        }
    }

    private static Rune Letter(Section section, string name) =>
        section.Text(name).EnumerateRunes().ToArray() is [var letter] ? letter : throw new InvalidDataException($"{section.Path(name)} is not one character.");

    private static InvalidDataException Unknown(Section section, string known) => new($"{section.Path("type")} '{section.Type}' is not supported; {known} are.");
}
