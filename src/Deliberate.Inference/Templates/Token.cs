namespace Deliberate.Inference.Templates;

/// <summary>The kinds of tokens.</summary>
internal enum TokenKind
{
    /// <summary>Text outside of tags.</summary>
    Data,

    /// <summary>Start of a printed expression.</summary>
    VariableBegin,

    /// <summary>End of a printed expression.</summary>
    VariableEnd,

    /// <summary>Start of a statement.</summary>
    BlockBegin,

    /// <summary>End of a statement.</summary>
    BlockEnd,

    /// <summary>A name or keyword.</summary>
    Name,

    /// <summary>A string, its escapes resolved.</summary>
    Text,

    /// <summary>A number.</summary>
    Number,

    /// <summary>An operator or bracket.</summary>
    Operator,

    /// <summary>End of the template.</summary>
    End,
}

/// <summary>A token: its text, the line it begins on, and the value of a number.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, TemplateValue? Number = null)
{
    public bool Is(string name) => Kind == TokenKind.Name && Text == name;

    public bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "end of template",
        TokenKind.VariableEnd or TokenKind.BlockEnd => "end of the tag",
        TokenKind.Text => "a string",
        _ => $"'{Text}'",
    };
}
