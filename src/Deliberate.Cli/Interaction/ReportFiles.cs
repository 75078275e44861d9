using System.Text.Json;
using Deliberate.Reports;
using Deliberate.Runs;
using Deliberate.Server.Report;

namespace Deliberate.Cli.Interaction;

/// <summary>The report of a run as files in its folder.</summary>
internal static class ReportFiles
{
    /// <summary>Reads <c>report.json</c>.</summary>
    /// <exception cref="InvalidDataException">It is no report.</exception>
    public static RunReport Read(string folder)
    {
        var path = Path.Combine(folder, "report.json");
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<RunReport>(stream, RunJson.Options) ?? throw new JsonException("it is null");
        }
        catch (JsonException problem)
        {
            throw new InvalidDataException($"{path}: not a run's report ({problem.Message}). Run the command again to write it anew.", problem);
        }
    }

    /// <summary>Writes <c>report.html</c> and tells where both files are.</summary>
    public static async Task WritePageAsync(Terminal terminal, RunReport report, string folder)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        var page = Path.Combine(folder, "report.html");
        await ReportPage.WriteAsync(report, page);
        terminal.Results.WriteLine($"report: {page}");
        terminal.Results.WriteLine($"        {Path.Combine(folder, "report.json")}");
    }
}
