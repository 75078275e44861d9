using Deliberate.Server.Report.Charts;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Deliberate.Server.Report;

/// <summary>A <c>text</c> element of a drawing: Razor itself keeps that name for another use.</summary>
public sealed class SvgText : ComponentBase
{
    /// <summary>Left end, middle or right end, by <see cref="Anchor"/>, in drawing units.</summary>
    [Parameter, EditorRequired]
    public double X { get; set; }

    /// <summary>The base line, in drawing units.</summary>
    [Parameter, EditorRequired]
    public double Y { get; set; }

    /// <summary>"start", "middle" or "end".</summary>
    [Parameter]
    public string Anchor { get; set; } = "start";

    /// <summary>Its class.</summary>
    [Parameter]
    public string? Class { get; set; }

    /// <summary>A transform, such as a turn.</summary>
    [Parameter]
    public string? Transform { get; set; }

    /// <summary>The text; any characters.</summary>
    [Parameter, EditorRequired]
    public string Text { get; set; } = "";

    /// <inheritdoc/>
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.OpenElement(0, "text");
        builder.AddAttribute(1, "x", LinearScale.Number(X));
        builder.AddAttribute(2, "y", LinearScale.Number(Y));
        if (Anchor != "start") builder.AddAttribute(3, "text-anchor", Anchor);
        if (Class is not null) builder.AddAttribute(4, "class", Class);
        if (Transform is not null) builder.AddAttribute(5, "transform", Transform);
        builder.AddContent(6, Text);
        builder.CloseElement();
    }
}
