using System.Runtime.CompilerServices;

namespace Deliberate.Inference.Templates;

/// <summary>The tokens of a template one after the other, and how deep what is being read nests.</summary>
internal class TokenReader(List<Token> tokens, string template, TemplateLimits limits)
{
    private int _place;
    private int _depth;

    protected Token Current => tokens[_place];

    /// <summary>The token after <see cref="Current"/>, which must not be the end.</summary>
    protected Token Following => tokens[_place + 1];

    protected Token Next() => Current is { Kind: TokenKind.End } end ? end : tokens[_place++];

    protected TemplateException Error(string construct, string reason, int? line = null) => new(template, line ?? Current.Line, construct, reason);

    protected bool Skip(string name)
    {
        if (!Current.Is(name)) return false;
        Next();
        return true;
    }

    protected bool SkipOperator(string text)
    {
        if (!Current.IsOperator(text)) return false;
        Next();
        return true;
    }

    protected void Expect(string text, string construct)
    {
        if (!SkipOperator(text)) throw Error(construct, $"expected '{text}', got {Current}");
    }

    protected string ExpectName(string construct) => Current.Kind == TokenKind.Name ? Next().Text : throw Error(construct, $"expected a name, got {Current}");

    protected void Deeper(string construct)
    {
        if (++_depth > limits.ParseDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Error(construct, $"it nests deeper than {limits.ParseDepth} levels (limit {nameof(TemplateLimits.ParseDepth)})");
    }

    protected void Shallower() => _depth--;
}
