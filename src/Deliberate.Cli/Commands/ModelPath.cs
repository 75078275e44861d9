using Deliberate.Cli.Interaction;
using Deliberate.Inference.Hub;
using Deliberate.Pipeline.Clients;

namespace Deliberate.Cli.Commands;

/// <summary>Models as users name them: a folder, or <c>hf:OWNER/NAME@REVISION</c>, which is fetched where it is not in the cache.</summary>
internal static class ModelPath
{
    public const string Description = "The model's folder, or hf:OWNER/NAME@REVISION, which is fetched into the hub's cache.";

    /// <summary>The folder of a model.</summary>
    /// <exception cref="Pipeline.AlignmentException">It cannot be had.</exception>
    public static async Task<string> ResolveAsync(string name, Terminal terminal, CancellationToken cancel)
    {
        if (name.StartsWith("local:", StringComparison.Ordinal)) name = name["local:".Length..];
        if (!HubReference.Is(name)) return name;
        await using var view = ProgressView.Over(terminal);
        return await LocalChat.FetchAsync(name, new HubView(view), terminal.Note, cancel);
    }

    /// <summary>Fetches what a run will open, while its progress can be seen.</summary>
    /// <exception cref="Pipeline.AlignmentException">A model cannot be had.</exception>
    public static async Task FetchAsync(ModelRoles roles, Terminal terminal, CancellationToken cancel)
    {
        foreach (var role in new[] { roles.Base, roles.Judge, roles.Grader })
            if (role?.Name.Path is { } path) await ResolveAsync(path, terminal, cancel);
    }

    private sealed class HubView(ProgressView view) : IProgress<HubProgress>
    {
        private long _told;

        // A piece is some kilobytes; a megabyte is worth a word.
        public void Report(HubProgress value)
        {
            if (value.Done - _told is >= 0 and < 1 << 20 && value.Done < value.Total) return;
            _told = value.Done;
            view.Report(new($"fetch {value.File}", null, (int)(value.Done >> 20), (int)(Math.Max(value.Total, value.Done) >> 20), "MiB"));
        }
    }
}
