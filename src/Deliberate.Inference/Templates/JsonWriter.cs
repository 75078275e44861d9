using System.Globalization;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>The filter <c>tojson</c> as transformers defines it: Python's <c>json.dumps</c>, letters beyond ASCII left as they are unless asked.</summary>
internal sealed class JsonWriter
{
    private readonly StringBuilder _text = new();
    private readonly Run _run;
    private readonly bool _ascii, _sorts;
    private readonly string? _indent;
    private readonly string _comma, _colon;

    public JsonWriter(Run run, bool ascii, TemplateValue? indent, TemplateValue? separators, bool sorts)
    {
        (_run, _ascii, _sorts) = (run, ascii, sorts);
        _indent = indent switch
        {
            null or NoneValue => null,
            TextValue text => text.Text,
            _ => run.Text(Operators.Index(indent), () => new string(' ', Math.Max(0, Operators.Index(indent)))),
        };
        (_comma, _colon) = separators switch
        {
            null or NoneValue => (_indent is null ? ", " : ",", ": "),
            ListValue { Values: [TextValue comma, TextValue colon] } => (comma.Text, colon.Text),
            _ => throw new TemplateFault("the separators must be two strings"),
        };
    }

    public string Write(TemplateValue value)
    {
        _run.Charge(value.Size);
        Value(value, 0);
        return _text.ToString();
    }

    private void Value(TemplateValue value, int level)
    {
        switch (value)
        {
            case NoneValue: _text.Append("null"); break;
            case BoolValue flag: _text.Append(flag.Value ? "true" : "false"); break;
            case IntValue number: _text.Append(number.Value.ToString(CultureInfo.InvariantCulture)); break;
            case FloatValue number: _text.Append(Float(number.Value)); break;
            case TextValue text: Quote(text.Text); break;
            case ListValue { Values.Length: 0 }: _text.Append("[]"); break;
            case ListValue list:
                _text.Append('[');
                for (var i = 0; i < list.Values.Length; i++)
                {
                    Line(level + 1, i == 0);
                    Value(list.Values[i], level + 1);
                }

                Line(level, null);
                _text.Append(']');
                break;
            case MapValue { Entries.Count: 0 }: _text.Append("{}"); break;
            case MapValue map:
                var entries = _sorts ? Operators.Sort(_run, new ViewValue(map, "items").Items, item => ((ListValue)item).Values[0]).Select(item => ((ListValue)item).Values) : map.Entries.Select(entry => new[] { entry.Key, entry.Value });
                _text.Append('{');
                var first = true;
                foreach (var entry in entries)
                {
                    Line(level + 1, first);
                    first = false;
                    Quote(Key(entry[0]));
                    _text.Append(_colon);
                    Value(entry[1], level + 1);
                }

                Line(level, null);
                _text.Append('}');
                break;
            default: throw new TemplateFault($"a {value.TypeName} has no JSON form");
        }

        if (_text.Length > _run.Limits.TextLength) _run.Length(_text.Length);
    }

    private static string Key(TemplateValue key) => key switch
    {
        TextValue text => text.Text,
        BoolValue flag => flag.Value ? "true" : "false",
        NoneValue => "null",
        FloatValue number => Float(number.Value),
        IntValue => PythonText.Str(key),
        _ => throw new TemplateFault($"a key of JSON cannot be a {key.TypeName}"),
    };

    private static string Float(double value) => double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? value > 0 ? "Infinity" : "-Infinity" : PythonText.Float(value);

    /// <summary>The comma before all but the first element, and the line break where there is an indent; null is the place before the closing bracket.</summary>
    private void Line(int level, bool? first)
    {
        if (first == false) _text.Append(_comma);
        if (_indent is null) return;
        if ((long)_text.Length + (long)_indent.Length * level > _run.Limits.TextLength) _run.Length((long)_text.Length + (long)_indent.Length * level);
        _run.Charge(_indent.Length * (long)level / 16);
        _text.Append('\n');
        for (var i = 0; i < level; i++) _text.Append(_indent);
    }

    private void Quote(string text)
    {
        _run.Charge(text.Length / 16);
        _text.Append('"');
        foreach (var letter in text)
        {
            switch (letter)
            {
                case '"' or '\\': _text.Append('\\').Append(letter); break;
                case '\n': _text.Append("\\n"); break;
                case '\r': _text.Append("\\r"); break;
                case '\t': _text.Append("\\t"); break;
                case '\b': _text.Append("\\b"); break;
                case '\f': _text.Append("\\f"); break;
                case < ' ': _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"); break;
                case > '~' when _ascii: _text.Append(letter == '\x7f' ? letter.ToString() : $"\\u{(int)letter:x4}"); break;
                default: _text.Append(letter); break;
            }
        }

        _text.Append('"');
    }
}
