namespace Deliberate.Inference.Templates;

/// <summary>Reads expressions by Jinja2's grammar and precedence.</summary>
internal class ExpressionParser(List<Token> tokens, string template, TemplateLimits limits) : TokenReader(tokens, template, limits)
{
    private readonly List<(string Kind, string Name, int Line)> _unknown = [];

    /// <summary>The names <c>caller</c>, <c>kwargs</c> and <c>varargs</c> that were read so far; a macro that uses them takes more arguments.</summary>
    protected HashSet<string> SpecialNames { get; set; } = [];

    protected int Unknown => _unknown.Count;

    /// <summary>Unknown filters and tests since this mark may stand: they are in a branch that may never be reached.</summary>
    protected void Forgive(int mark) => _unknown.RemoveRange(mark, _unknown.Count - mark);

    /// <summary>Refuses unknown filters and tests since this mark.</summary>
    protected void Refuse(int mark)
    {
        if (_unknown.Count > mark) throw Error($"{_unknown[mark].Kind} '{_unknown[mark].Name}'", $"there is no such {_unknown[mark].Kind}", _unknown[mark].Line);
    }

    /// <summary>An expression, or several with commas between them as a tuple.</summary>
    protected Expression ParseTuple(bool conditional = true, bool targets = false, string? end = null, bool parenthesized = false, bool namespaces = false)
    {
        var line = Current.Line;
        var items = new List<Expression>();
        var tuple = false;
        while (true)
        {
            if (items.Count > 0 && !SkipOperator(",")) break;
            tuple |= items.Count > 0;
            if (Ends(end)) break;
            items.Add(targets ? ParseTarget(namespaces) : conditional ? ParseExpression() : ParseOr());
        }

        if (!tuple && items.Count == 1) return items[0];
        if (items.Count == 0 && !parenthesized) throw Error("expression", $"expected an expression, got {Current}");
        return new Sequence(line, [.. items], tuple: true);
    }

    private bool Ends(string? end) => Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd or TokenKind.End || Current.IsOperator(")") || (end is not null && Current.Is(end));

    private Expression ParseTarget(bool namespaces)
    {
        if (namespaces && Current.Kind == TokenKind.Name && Following.IsOperator(".") && Current is var owner)
        {
            Next();
            Next();
            return new Member(owner.Line, new Name(owner.Line, owner.Text), ExpectName("set"));
        }

        return ParsePrimary();
    }

    /// <summary>A target of an assignment, checked.</summary>
    protected Expression ParseAssignment(string construct, bool namespaces = false, string? end = null, bool tuple = true)
    {
        var target = tuple ? ParseTuple(targets: true, end: end, namespaces: namespaces) : ParsePrimary();
        Check(target);
        return target;

        void Check(Expression part)
        {
            if (part is Sequence { Tuple: true, Items.Length: > 0 } or Sequence { Tuple: false })
                foreach (var item in ((Sequence)part).Items) Check(item);
            else if (part is not (Name or Member)) throw Error(construct, $"cannot assign to a {part.Construct}", part.Line);
        }
    }

    public Expression ParseExpression()
    {
        Deeper("expression");
        var line = Current.Line;
        var mark = Unknown;
        var value = ParseOr();
        while (Skip("if"))
        {
            var test = ParseOr();
            var otherwise = Skip("else") ? ParseExpression() : null;
            value = new Conditional(line, test, value, otherwise);
            Forgive(mark);
        }

        Shallower();
        return value;
    }

    protected Expression ParseOr()
    {
        var left = ParseAnd();
        while (Current.Is("or")) left = new Binary(Next().Line, "or", left, ParseAnd());
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (Current.Is("and")) left = new Binary(Next().Line, "and", left, ParseNot());
        return left;
    }

    private Expression ParseNot()
    {
        if (!Current.Is("not")) return ParseComparison();
        Deeper("'not'");
        var value = new Unary(Next().Line, "not", ParseNot());
        Shallower();
        return value;
    }

    private Expression ParseComparison()
    {
        var line = Current.Line;
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (Current is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" }) rest.Add((Next().Text, ParseSum()));
            else if (Skip("in")) rest.Add(("in", ParseSum()));
            else if (Current.Is("not") && Following.Is("in"))
            {
                Next();
                Next();
                rest.Add(("not in", ParseSum()));
            }
            else return rest.Count == 0 ? first : new Comparison(line, first, [.. rest]);
        }
    }

    private Expression ParseSum()
    {
        var left = ParseJoined();
        while (Current is { Kind: TokenKind.Operator, Text: "+" or "-" } operation)
        {
            Next();
            left = new Binary(operation.Line, operation.Text, left, ParseJoined());
        }

        return left;
    }

    private Expression ParseJoined()
    {
        var parts = new List<Expression> { ParseProduct() };
        var line = Current.Line;
        while (SkipOperator("~")) parts.Add(ParseProduct());
        return parts.Count == 1 ? parts[0] : new Joined(line, [.. parts]);
    }

    private Expression ParseProduct()
    {
        var left = ParsePower();
        while (Current is { Kind: TokenKind.Operator, Text: "*" or "/" or "//" or "%" } operation)
        {
            Next();
            left = new Binary(operation.Line, operation.Text, left, ParsePower());
        }

        return left;
    }

    private Expression ParsePower()
    {
        var left = ParseUnary();
        while (Current.IsOperator("**")) left = new Binary(Next().Line, "**", left, ParseUnary());
        return left;
    }

    protected Expression ParseUnary(bool filters = true)
    {
        Expression value;
        if (Current is { Kind: TokenKind.Operator, Text: "+" or "-" } sign)
        {
            Deeper("sign");
            Next();
            value = new Unary(sign.Line, sign.Text, ParseUnary(filters: false));
            Shallower();
        }
        else value = ParsePrimary();

        value = ParsePostfix(value);
        return filters ? ParseFilters(value) : value;
    }

    protected Expression ParsePrimary()
    {
        var token = Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                switch (token.Text)
                {
                    case "true" or "True": return new Literal(token.Line, BoolValue.True);
                    case "false" or "False": return new Literal(token.Line, BoolValue.False);
                    case "none" or "None": return new Literal(token.Line, TemplateValue.None);
                    case "caller" or "kwargs" or "varargs": SpecialNames.Add(token.Text); break;
                }

                return new Name(token.Line, token.Text);
            case TokenKind.Text:
                var text = token.Text;
                if (Current.Kind == TokenKind.Text)
                {
                    var parts = new System.Text.StringBuilder(text);
                    while (Current.Kind == TokenKind.Text) parts.Append(Next().Text);
                    text = parts.ToString();
                }

                return new Literal(token.Line, new TextValue(text));
            case TokenKind.Number: return new Literal(token.Line, token.Number!);
            case TokenKind.Operator when token.Text is "(" or "[" or "{":
                Deeper("brackets");
                var value = token.Text == "(" ? ParseParentheses() : token.Text == "[" ? ParseList(token.Line) : ParseDict(token.Line);
                Shallower();
                return value;
            default: throw Error("expression", $"unexpected {token}", token.Line);
        }
    }

    private Expression ParseParentheses()
    {
        var value = ParseTuple(parenthesized: true);
        Expect(")", "parentheses");
        return value;
    }

    private Sequence ParseList(int line)
    {
        var items = new List<Expression>();
        while (!Current.IsOperator("]"))
        {
            if (items.Count > 0) Expect(",", "list");
            if (Current.IsOperator("]")) break;
            items.Add(ParseExpression());
        }

        Expect("]", "list");
        return new(line, [.. items], tuple: false);
    }

    private Mapping ParseDict(int line)
    {
        var entries = new List<(Expression, Expression)>();
        while (!Current.IsOperator("}"))
        {
            if (entries.Count > 0) Expect(",", "dict");
            if (Current.IsOperator("}")) break;
            var key = ParseExpression();
            Expect(":", "dict");
            entries.Add((key, ParseExpression()));
        }

        Expect("}", "dict");
        return new(line, [.. entries]);
    }

    protected Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (Current.IsOperator(".")) value = ParseMember(value);
            else if (Current.IsOperator("[")) value = ParseSubscript(value);
            else if (Current.IsOperator("(")) value = new Call(Current.Line, value, ParseArguments());
            else return value;
        }
    }

    private Expression ParseFilters(Expression value)
    {
        while (true)
        {
            if (Current.IsOperator("|")) value = ParseFilter(value);
            else if (Current.Is("is")) value = ParseTest(value);
            else if (Current.IsOperator("(")) value = new Call(Current.Line, value, ParseArguments());
            else return value;
        }
    }

    private Expression ParseMember(Expression owner)
    {
        var line = Next().Line;
        var name = Next();
        if (name.Kind == TokenKind.Name) return new Member(line, owner, name.Text);
        if (name is { Kind: TokenKind.Number, Number: IntValue }) return new Subscript(line, owner, new Literal(line, name.Number));
        throw Error("'.'", $"expected a name or number, got {name}", line);
    }

    private Subscript ParseSubscript(Expression owner)
    {
        var line = Next().Line;
        var keys = new List<Expression>();
        var tuple = false;
        while (!Current.IsOperator("]"))
        {
            if (keys.Count > 0)
            {
                Expect(",", "subscript");
                tuple = true;
            }

            keys.Add(ParseSubscribed());
        }

        if (keys.Count == 0) throw Error("subscript", "it is empty", line);
        Expect("]", "subscript");
        return new(line, owner, tuple ? new Sequence(line, [.. keys], tuple: true) : keys[0]);
    }

    private Expression ParseSubscribed()
    {
        var line = Current.Line;
        Expression? from = null;
        if (!Current.IsOperator(":"))
        {
            from = ParseExpression();
            if (!Current.IsOperator(":")) return from;
        }

        Next();
        var to = Bound();
        var by = SkipOperator(":") ? Bound() : null;
        return new Slice(line, from, to, by);

        Expression? Bound() => Current.IsOperator(":") || Current.IsOperator("]") || Current.IsOperator(",") ? null : ParseExpression();
    }

    private ArgumentList ParseArguments()
    {
        var line = Next().Line;
        var (positional, named) = (new List<Expression>(), new List<KeyValuePair<string, Expression>>());
        Expression? spread = null, spreadNamed = null;
        for (var first = true; !Current.IsOperator(")"); first = false)
        {
            if (!first) Expect(",", "call");
            if (Current.IsOperator(")")) break;
            if (SkipOperator("*"))
            {
                Ensure(spread is null && spreadNamed is null);
                spread = ParseExpression();
            }
            else if (SkipOperator("**"))
            {
                Ensure(spreadNamed is null);
                spreadNamed = ParseExpression();
            }
            else if (Current.Kind == TokenKind.Name && Following.IsOperator("="))
            {
                Ensure(spreadNamed is null);
                var name = Next().Text;
                Next();
                if (named.Any(argument => argument.Key == name)) throw Error("call", $"the argument '{name}' is given twice", line);
                named.Add(new(name, ParseExpression()));
            }
            else
            {
                Ensure(spread is null && spreadNamed is null && named.Count == 0);
                positional.Add(ParseExpression());
            }
        }

        Expect(")", "call");
        return new([.. positional], [.. named], spread, spreadNamed);

        void Ensure(bool allowed)
        {
            if (!allowed) throw Error("call", "an argument stands after one that must come last", line);
        }
    }

    private string ParseDotted(string construct)
    {
        var name = ExpectName(construct);
        while (SkipOperator(".")) name += "." + ExpectName(construct);
        return name;
    }

    private FilterCall ParseFilter(Expression? value)
    {
        Next();
        return ParseFilterName(value);
    }

    private FilterCall ParseFilterName(Expression? value)
    {
        var line = Current.Line;
        var name = ParseDotted("filter");
        var filter = new FilterCall(line, value, name, Current.IsOperator("(") ? ParseArguments() : ArgumentList.Empty);
        if (!filter.Known) _unknown.Add(("filter", name, line));
        return filter;
    }

    /// <summary>The filters of a block: <c>upper|trim</c>, where <paramref name="named"/> says that the first has no bar before it.</summary>
    protected FilterCall ParseBlockFilters(bool named)
    {
        var filter = named ? ParseFilterName(null) : ParseFilter(null);
        while (Current.IsOperator("|")) filter = ParseFilter(filter);
        return filter;
    }

    private Expression ParseTest(Expression value)
    {
        var line = Next().Line;
        var negated = Skip("not");
        var name = ParseDotted("test");
        var arguments = ArgumentList.Empty;
        if (Current.IsOperator("(")) arguments = ParseArguments();
        else if ((Current.Kind is TokenKind.Name or TokenKind.Text or TokenKind.Number || Current.IsOperator("[") || Current.IsOperator("{"))
            && Current is not { Kind: TokenKind.Name, Text: "else" or "or" or "and" })
        {
            if (Current.Is("is")) throw Error($"test '{name}'", "tests cannot be chained with 'is'");
            arguments = new([ParsePostfix(ParsePrimary())], [], null, null);
        }

        var test = new TestCall(line, value, name, arguments);
        if (!test.Known) _unknown.Add(("test", name, line));
        return negated ? new Unary(line, "not", test) : test;
    }
}
