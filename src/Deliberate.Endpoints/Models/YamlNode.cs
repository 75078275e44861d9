using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Deliberate.Endpoints.Models;

/// <summary>A part of a YAML text with its place. Nesting is bounded; references to other parts are refused, and a name stands once.</summary>
internal sealed class YamlNode
{
    /// <summary>Most bytes of a file.</summary>
    public const int MostBytes = 1 << 20;

    private const int Deepest = 32;

    private readonly string _file;
    private readonly string _field;
    private readonly long _line;
    private readonly Scalar? _scalar;
    private readonly List<(string Name, YamlNode Node)>? _map;
    private readonly List<YamlNode>? _list;

    private YamlNode(string file, string field, IParser parser, int depth)
    {
        (_file, _field, _line) = (file, field, parser.Current!.Start.Line);
        if (depth > Deepest) throw Problem($"nested deeper than {Deepest}");
        if (parser.TryConsume<MappingStart>(out _))
        {
            _map = [];
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (!parser.TryConsume<Scalar>(out var key)) throw new YamlNode(file, field, parser, depth + 1).Problem("a name must be plain text");
                var value = new YamlNode(file, key.Value, parser, depth + 1);
                if (_map.Any(entry => entry.Name == key.Value)) throw value.Problem("stands twice: leave one out");
                _map.Add((key.Value, value));
            }
        }
        else if (parser.TryConsume<SequenceStart>(out _))
        {
            _list = [];
            while (!parser.TryConsume<SequenceEnd>(out _)) _list.Add(new(file, field, parser, depth + 1));
        }
        else
        {
            _scalar = parser.TryConsume<Scalar>(out var scalar) ? scalar : throw Problem("refers to another part of the file: write it out");
        }
    }

    public bool IsText => _scalar is { Value.Length: > 0 };

    public static YamlNode Parse(string text, string file)
    {
        var parser = new Parser(new StringReader(text));
        try
        {
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _)) throw new ModelSettingsException("the file is empty: write models: and an entry for each model", file);
            var root = new YamlNode(file, "", parser, 0);
            parser.Consume<DocumentEnd>();
            return parser.TryConsume<StreamEnd>(out _) ? root : throw new ModelSettingsException("there is a second document: leave one", file, (int)parser.Current!.Start.Line);
        }
        catch (YamlException e)
        {
            throw new ModelSettingsException($"no YAML: {Wire.Refusals.OneLine(e.Message)}", file, (int)Math.Min(e.Start.Line, text.AsSpan().Count('\n') + 1), e);
        }
        catch (Exception e) when (e is not ModelSettingsException)
        {
            // The parser lets errors of other kinds through for some texts.
            throw new ModelSettingsException("no YAML from here on", file, (int)(parser.Current?.End.Line ?? 1), e);
        }
    }

    public ModelSettingsException Problem(string problem) => new(_field.Length == 0 ? problem : $"{Wire.Refusals.OneLine(_field)}: {problem}", _file, (int)_line);

    /// <summary>Checks that there are no other fields than these.</summary>
    public YamlNode Fields(params string[] known)
    {
        foreach (var (name, node) in Entries())
        {
            if (known.Contains(name)) continue;
            throw name.Contains("key", StringComparison.OrdinalIgnoreCase) && known.Contains("key_env")
                ? node.Problem("keys are not kept in files: put it into an environment variable and name that with key_env")
                : node.Problem($"there is no such field: write one of {string.Join(", ", known)}");
        }

        return this;
    }

    public IReadOnlyList<(string Name, YamlNode Node)> Entries() => _map ?? throw Problem("must be a map of names and values");

    public YamlNode? Optional(string name) => Entries().FirstOrDefault(entry => entry.Name == name).Node;

    public YamlNode Required(string name) => Optional(name) ?? throw Problem($"{name} is missing");

    public string Text() => IsText ? _scalar!.Value : throw Problem("must be a text");

    public bool Flag() => _scalar?.Value switch { "true" => true, "false" => false, _ => throw Problem("must be true or false") };

    public long Whole(long least, long most) => long.TryParse(_scalar?.Value.Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
        ? number : throw Problem(most is int.MaxValue or long.MaxValue ? $"must be a whole number, {least} or more" : $"must be a whole number from {least} to {most}");

    public decimal Amount() => decimal.TryParse(_scalar?.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
        ? amount : throw Problem("must be an amount of money such as 0.15");

    public int OneOf(IReadOnlyList<string> words)
    {
        for (var i = 0; i < words.Count; i++)
            if (words[i] == _scalar?.Value) return i;
        throw Problem($"must be one of {string.Join(", ", words)}");
    }

    // What is no name is most likely a key, and is not repeated.
    public string EnvironmentVariable() => Text() is var name && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
        ? name : throw Problem("must be the name of an environment variable, not a key");

    public JsonObject Object() => _map is null ? throw Problem("must be a map of names and values") : (JsonObject)Json()!;

    private JsonNode? Json()
    {
        if (_map is not null) return new JsonObject(_map.Select(entry => KeyValuePair.Create(entry.Name, entry.Node.Json())));
        if (_list is not null) return new JsonArray([.. _list.Select(item => item.Json())]);
        var (text, plain) = (_scalar!.Value, _scalar.Style == ScalarStyle.Plain);
        if (!plain) return text;
        return text switch
        {
            "" or "~" or "null" => null,
            "true" => true,
            "false" => false,
            _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
            _ when decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) => number,
            _ => text,
        };
    }
}
