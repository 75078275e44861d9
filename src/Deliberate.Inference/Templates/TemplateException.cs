using Deliberate.Inference.Files;

namespace Deliberate.Inference.Templates;

/// <summary>A chat template that cannot be parsed or rendered: one line that names the template, the line in it, the construct and the reason.</summary>
public sealed class TemplateException : Exception
{
    internal TemplateException(string template, int line, string construct, string reason, bool raisedByTemplate = false, Exception? inner = null)
        : base(OneLine.Of($"{template}:{line}: {construct}: {reason}"), inner) =>
        (Template, Line, Construct, RaisedByTemplate) = (template, line, construct, raisedByTemplate);

    /// <summary>The template's name, as it was given to <see cref="ChatTemplate.Parse(string, string)"/>.</summary>
    public string Template { get; }

    /// <summary>The line in the template, from 1.</summary>
    public int Line { get; }

    /// <summary>What stands there, such as <c>filter 'upper'</c> or <c>for</c>.</summary>
    public string Construct { get; }

    /// <summary>Whether the template itself refused its input with <c>raise_exception</c>, such as two user messages in a row.</summary>
    public bool RaisedByTemplate { get; }
}

/// <summary>A failure inside an operation on values; whoever knows the place turns it into a <see cref="TemplateException"/>.</summary>
internal sealed class TemplateFault(string reason, bool raised = false) : Exception(reason)
{
    /// <summary>Whether it comes from <c>raise_exception</c>.</summary>
    public bool Raised => raised;
}
