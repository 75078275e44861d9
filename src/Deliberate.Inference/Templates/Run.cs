using System.Runtime.CompilerServices;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>One render: the text so far, what it has used of its limits, and the place it is at.</summary>
internal sealed class Run(TemplateLimits limits, TimeProvider time)
{
    private readonly StringBuilder _prompt = new();
    private readonly List<(int Start, string Text, int Line)> _generations = [];
    private StringBuilder? _buffer;
    private long _steps;
    private int _depth;

    public TimeProvider Time => time;

    public TemplateLimits Limits => limits;

    /// <summary>What is being evaluated, for errors.</summary>
    public Node? At { get; set; }

    /// <summary>The prompt rendered so far.</summary>
    public string Prompt => _prompt.ToString();

    /// <summary>The blocks named <c>generation</c> in the order they ended: where the prompt stood, their text, their line.</summary>
    public IReadOnlyList<(int Start, string Text, int Line)> Generations => _generations;

    /// <summary>Counts work.</summary>
    public void Charge(long steps)
    {
        _steps += steps;
        if (_steps > limits.Steps) throw new TemplateFault($"the template takes more than {limits.Steps} steps (limit {nameof(TemplateLimits.Steps)})");
    }

    /// <summary>Refuses a list or dict of so many elements before it is built.</summary>
    public void Elements(long count)
    {
        if (count > limits.Elements) throw new TemplateFault($"a list or dict would have more than {limits.Elements} elements (limit {nameof(TemplateLimits.Elements)})");
    }

    /// <summary>Counts a search for one text in another, which takes the product of their lengths at worst.</summary>
    public void Search(int length, int sought) => Charge(1 + length / 16 + (long)length * sought / 4096);

    /// <summary>Builds a string whose length is known before; refuses it where that is too long.</summary>
    public string Text(long length, Func<string> build)
    {
        Length(length);
        return build();
    }

    /// <summary>Refuses a string of this length and counts the work of building it.</summary>
    public void Length(long length)
    {
        if (length > limits.TextLength) throw new TemplateFault($"a string would have more than {limits.TextLength} characters (limit {nameof(TemplateLimits.TextLength)})");
        Charge(1 + length / 16);
    }

    public TemplateValue Evaluate(Expression expression, Scope scope)
    {
        Enter();
        var value = expression.Evaluate(this, scope);
        if (value.Size > limits.Elements && value is not (RangeValue or TextValue or IntValue)) Elements(value.Size);
        if (value.Depth > limits.ValueDepth) throw new TemplateFault($"lists and dicts nest deeper than {limits.ValueDepth} (limit {nameof(TemplateLimits.ValueDepth)})");
        if (value is TextValue { Text.Length: var length } && length > limits.TextLength) Length(length);
        _depth--;
        return value;
    }

    public Flow Render(Statement[] body, Scope scope)
    {
        Enter();
        var flow = Flow.Next;
        foreach (var statement in body)
        {
            Charge(1);
            flow = statement.Render(this, scope);
            if (flow != Flow.Next) break;
        }

        _depth--;
        return flow;
    }

    public void Write(string text)
    {
        var to = _buffer ?? _prompt;
        if (_buffer is null && (long)to.Length + text.Length > limits.OutputLength)
            throw new TemplateFault($"the prompt has more than {limits.OutputLength} characters (limit {nameof(TemplateLimits.OutputLength)})");
        if (_buffer is not null && (long)to.Length + text.Length > limits.TextLength) Length((long)to.Length + text.Length);
        Charge(text.Length / 16);
        to.Append(text);
    }

    /// <summary>Renders a body into a string of its own.</summary>
    public string Capture(Statement[] body, Scope scope, out Flow flow)
    {
        var outer = _buffer;
        _buffer = new();
        flow = Render(body, scope);
        var text = _buffer.ToString();
        _buffer = outer;
        return text;
    }

    /// <summary>Renders a body and remembers it as what the model generates.</summary>
    public void Generation(Statement[] body, Scope scope, int line)
    {
        var text = Capture(body, scope, out _);
        _generations.Add((_prompt.Length, text, line));
        Write(text);
    }

    private void Enter()
    {
        Charge(1);
        if (++_depth > limits.RenderDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new TemplateFault($"rendering nests deeper than {limits.RenderDepth} levels (limit {nameof(TemplateLimits.RenderDepth)})");
    }
}

/// <summary>Names and their values inside a block; what is not set here is looked up outside.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, TemplateValue> _names = [];

    public TemplateValue? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope._names.TryGetValue(name, out var value)) return value;
        return null;
    }

    public void Set(string name, TemplateValue value) => _names[name] = value;

    public Scope? Outer => outer;

    /// <summary>The scope of the whole template, which blocks see.</summary>
    public Scope Top
    {
        get
        {
            var scope = this;
            while (scope.Outer?.Outer?.Outer is not null) scope = scope.Outer;
            return scope;
        }
    }
}

/// <summary>How a body ended.</summary>
internal enum Flow
{
    /// <summary>Go on.</summary>
    Next,

    /// <summary>Leave the loop.</summary>
    Break,

    /// <summary>Go on with the loop's next turn.</summary>
    Continue,
}
