namespace Deliberate.Inference.Templates;

/// <summary>Reads the statements of a template.</summary>
internal sealed class Parser(List<Token> tokens, string template, TemplateLimits limits) : ExpressionParser(tokens, template, limits)
{
    private readonly HashSet<string> _blocks = [];
    private readonly Stack<string> _open = [];
    private int _loops;

    /// <summary>The whole template.</summary>
    public Statement[] Parse()
    {
        var body = ParseBody();
        Refuse(0);
        return body;
    }

    /// <summary>Statements up to one of these tags, whose name is then current, or to the end of the template.</summary>
    private Statement[] ParseBody(params string[] ends)
    {
        var line = Current.Line;
        Deeper(_open.TryPeek(out var open) ? open : "template");
        var body = new List<Statement>();
        while (true)
        {
            var token = Next();
            switch (token.Kind)
            {
                case TokenKind.End:
                    if (ends.Length > 0) throw Error(_open.Peek(), $"its end is missing: expected '{string.Join("' or '", ends)}'", line);
                    Shallower();
                    return [.. body];
                case TokenKind.Data:
                    body.Add(new Text(token.Line, token.Text));
                    break;
                case TokenKind.VariableBegin:
                    body.Add(new Output(token.Line, ParseTuple()));
                    if (Next() is { Kind: not TokenKind.VariableEnd } wrong) throw Error("output", $"expected '}}}}', got {wrong}", wrong.Line);
                    break;
                default:
                    if (Current.Kind == TokenKind.Name && ends.Contains(Current.Text))
                    {
                        Shallower();
                        return [.. body];
                    }

                    body.Add(ParseStatement());
                    if (Next() is { Kind: not TokenKind.BlockEnd } rest) throw Error("tag", $"expected '%}}', got {rest}", rest.Line);
                    break;
            }
        }
    }

    /// <summary>The body of a tag after its head, up to one of these tags.</summary>
    private Statement[] ParseBlock(string tag, params string[] ends)
    {
        SkipOperator(":");
        if (Next() is { Kind: not TokenKind.BlockEnd } wrong) throw Error(tag, $"expected '%}}', got {wrong}", wrong.Line);
        _open.Push(tag);
        var body = ParseBody(ends);
        _open.Pop();
        return body;
    }

    /// <summary>A body with names of its own that ends with this tag.</summary>
    private Statement[] ParseScope(string tag, int mark, bool function = false)
    {
        var loops = _loops;
        if (function) _loops = 0;
        var body = ParseBlock(tag, "end" + tag);
        Next();
        Refuse(mark);
        _loops = loops;
        return body;
    }

    private Statement ParseStatement()
    {
        var (line, tag) = (Current.Line, Current.Kind == TokenKind.Name ? Current.Text : throw Error("tag", $"expected the name of a tag, got {Current}"));
        Next();
        switch (tag)
        {
            case "for": return ParseFor(line);
            case "if": return ParseIf(line);
            case "set": return ParseSet(line);
            case "macro": return ParseMacro(line);
            case "call": return ParseCall(line);
            case "with": return ParseWith(line);
            case "filter":
                var mark = Unknown;
                var filter = ParseBlockFilters(named: true);
                return new FilterBlock(line, filter, ParseScope("filter", mark));
            case "block": return ParseNamedBlock(line);
            case "print": return ParsePrint(line);
            case "generation": return new Generation(line, ParseScope("generation", Unknown, function: true));
            case "break" or "continue":
                return _loops > 0 ? new Jump(line, tag == "break" ? Flow.Break : Flow.Continue) : throw Error(tag, "it stands outside of a loop", line);
            case "include" or "import" or "extends" or "from":
                while (Current.Kind is not (TokenKind.BlockEnd or TokenKind.End)) Next();
                return new Refused(line, tag);
            case "autoescape" or "trans" or "pluralize" or "do" or "debug": throw Error(tag, "the tag is not supported in chat templates", line);
            default:
                throw Error(tag, _open.TryPeek(out var open) ? $"there is no such tag here; the open tag is '{open}'" : "there is no such tag", line);
        }
    }

    private If ParsePrint(int line)
    {
        var outputs = new List<Statement>();
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (outputs.Count > 0) Expect(",", "print");
            outputs.Add(new Output(line, ParseExpression()));
        }

        return new(line, [], [.. outputs]);
    }

    private For ParseFor(int line)
    {
        var target = ParseAssignment("for", end: "in");
        if (!Skip("in")) throw Error("for", $"expected 'in', got {Current}");
        var source = ParseTuple(conditional: false, end: "recursive");
        var mark = Unknown;
        var filter = Skip("if") ? ParseExpression() : null;
        var recursive = Skip("recursive");
        _loops++;
        var body = ParseBlock("for", "endfor", "else");
        _loops--;
        Refuse(mark);
        Statement[] otherwise = [];
        if (Next().Text == "else")
        {
            otherwise = ParseBlock("for", "endfor");
            Next();
            Refuse(mark);
        }

        return new(line, target, source, filter, body, otherwise, recursive);
    }

    private If ParseIf(int line)
    {
        var mark = Unknown;
        var branches = new List<(Expression, Statement[])>();
        Statement[] otherwise = [];
        while (true)
        {
            var test = ParseTuple(conditional: false);
            branches.Add((test, ParseBlock("if", "elif", "else", "endif")));
            var next = Next().Text;
            if (next == "elif") continue;
            if (next == "else")
            {
                otherwise = ParseBlock("if", "endif");
                Next();
            }

            Forgive(mark);
            return new(line, [.. branches], otherwise);
        }
    }

    private Statement ParseSet(int line)
    {
        var target = ParseAssignment("set", namespaces: true);
        if (SkipOperator("=")) return new Set(line, target, ParseTuple());
        var mark = Unknown;
        var filter = Current.IsOperator("|") ? ParseBlockFilters(named: false) : null;
        return new SetBlock(line, target, filter, ParseScope("set", mark));
    }

    private With ParseWith(int line)
    {
        var mark = Unknown;
        var names = new List<(Expression, Expression)>();
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (names.Count > 0) Expect(",", "with");
            var target = ParseAssignment("with", tuple: false);
            Expect("=", "with");
            names.Add((target, ParseExpression()));
        }

        return new(line, [.. names], ParseScope("with", mark));
    }

    private Block ParseNamedBlock(int line)
    {
        var name = ExpectName("block");
        if (!_blocks.Add(name)) throw Error($"block '{name}'", "the block is defined twice", line);
        var (scoped, required) = (Skip("scoped"), Skip("required"));
        var loops = _loops;
        _loops = 0;
        var mark = Unknown;
        var body = ParseBlock("block", "endblock");
        Next();
        Skip(name);
        Refuse(mark);
        _loops = loops;
        return new(line, name, scoped, required, body);
    }

    private MacroDefinition ParseMacro(int line)
    {
        var name = ExpectName("macro");
        return new(line, ParseShape(name, "macro", Unknown, required: true, () => { }));
    }

    private CallBlock ParseCall(int line)
    {
        Expression? call = null;
        var shape = ParseShape("", "call", Unknown, required: false, () => call = ParseExpression());
        return new(line, call as Call ?? throw Error("call block", "it needs a call", line), shape);
    }

    /// <summary>Parameters, what follows them in the head, and the body.</summary>
    private MacroShape ParseShape(string name, string tag, int mark, bool required, Action afterParameters)
    {
        var outer = SpecialNames;
        var parameters = new List<(string Name, Expression? Default)>();
        if (required || Current.IsOperator("("))
        {
            Expect("(", tag);
            while (!SkipOperator(")"))
            {
                if (parameters.Count > 0) Expect(",", tag);
                var parameter = ExpectName(tag);
                if (parameters.Any(other => other.Name == parameter)) throw Error(tag, $"the parameter '{parameter}' is given twice");
                var otherwise = SkipOperator("=") ? ParseExpression() : null;
                if (otherwise is null && parameters.Any(other => other.Default is not null)) throw Error(tag, $"the parameter '{parameter}' without default follows one with a default");
                if (otherwise is null && parameter == "caller") throw Error(tag, "the parameter 'caller' must be left out or have a default");
                parameters.Add((parameter, otherwise));
                if (parameters.Count > 255) throw Error(tag, "it has more than 255 parameters");
            }
        }

        afterParameters();
        SpecialNames = [];
        var body = ParseScope(tag, mark, function: true);
        var used = SpecialNames;
        SpecialNames = outer;
        outer.UnionWith(used);
        return new(name, [.. parameters], body, used.Contains("caller"), used.Contains("kwargs"), used.Contains("varargs"));
    }
}
