namespace Deliberate.Inference.Templates;

/// <summary>
/// How much a template may use. Templates come with downloaded models and are not trusted, so all work is counted; time is not measured,
/// and the same template with the same input always ends in the same way.
/// </summary>
public sealed record TemplateLimits
{
    /// <summary>Longest template text, in characters.</summary>
    public int TemplateLength { get; init; } = 1 << 20;

    /// <summary>Longest rendered prompt, in characters.</summary>
    public int OutputLength { get; init; } = 16 << 20;

    /// <summary>Longest string that an expression may build, in characters.</summary>
    public int TextLength { get; init; } = 16 << 20;

    /// <summary>Most elements of a list or dict, those nested in it included; 16 characters of text count as one.</summary>
    public int Elements { get; init; } = 1 << 20;

    /// <summary>Most elements of one <c>range</c>; Jinja2's sandbox has the same default.</summary>
    public int RangeLength { get; init; } = 100_000;

    /// <summary>Most steps of one render: an expression, a statement, a turn of a loop, an element or 16 characters handled is one step.</summary>
    public long Steps { get; init; } = 20_000_000;

    /// <summary>Deepest nesting of blocks and expressions in the text of a template.</summary>
    public int ParseDepth { get; init; } = 100;

    /// <summary>Deepest nesting of expressions, blocks and calls while rendering; a call of a macro takes about five levels.</summary>
    public int RenderDepth { get; init; } = 800;

    /// <summary>Deepest nesting of lists and dicts in values.</summary>
    public int ValueDepth { get; init; } = 100;
}
