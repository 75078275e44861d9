using System.Text.Encodings.Web;
using System.Text.Unicode;
using Deliberate.Reports;
using Deliberate.Runs;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Deliberate.Server.Report;

/// <summary>Renders a run's report as one self-contained HTML page: no request leaves it. Safe for use by several threads.</summary>
public static class ReportPage
{
    /// <summary>The page as HTML. The same report gives the same text.</summary>
    public static async Task<string> RenderAsync(RunReport report, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(report);
        ct.ThrowIfCancellationRequested();
        // Letters of every script stand as they are; what has a meaning in HTML is always encoded.
        await using var services = new ServiceCollection().AddSingleton(HtmlEncoder.Create(UnicodeRanges.All)).BuildServiceProvider();
        await using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var parameters = ParameterView.FromDictionary(new Dictionary<string, object?> { [nameof(ReportDocument.Report)] = report });
            var page = await renderer.RenderComponentAsync<ReportDocument>(parameters);
            ct.ThrowIfCancellationRequested();
            return page.ToHtmlString();
        });
    }

    /// <summary>Writes the page to a file in UTF-8; readers see the old file or the new one, never a part.</summary>
    public static async Task WriteAsync(RunReport report, string path, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.WriteText(path, await RenderAsync(report, ct));
    }
}
