using System.Collections.Concurrent;
using Deliberate.Pipeline;
using Deliberate.Server.Dashboard;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Commands;

/// <summary>The models of the runs in a folder, for the dashboard's chat page. Each is opened when it is first asked, and stays open. Thread-safe.</summary>
internal sealed class RunModels(string folder) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<LocalArm>> _open = new(StringComparer.Ordinal);

    /// <summary>What can be talked to now: of each run the base model and those that are trained, newest run first.</summary>
    public IReadOnlyList<DashboardModel> List()
    {
        var runs = IsRun(folder) ? [folder] : Directory.EnumerateDirectories(folder).Where(IsRun);
        return [.. runs.OrderByDescending(run => File.GetLastWriteTimeUtc(Path.Combine(run, "manifest.json"))).ThenBy(run => run, StringComparer.Ordinal).SelectMany(Models)];
    }

    public void Dispose()
    {
        foreach (var arm in _open.Values.Where(arm => arm.IsValueCreated)) arm.Value.Dispose();
    }

    private static bool IsRun(string path) => File.Exists(Path.Combine(path, "manifest.json"));

    private IEnumerable<DashboardModel> Models(string run)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(run)));
        foreach (var arm in Arms.All.Where(arm => ArmModels.Has(run, arm)))
            yield return new($"{name}: {arm}", () => ClientOf(_open.GetOrAdd($"{run}\n{arm}", _ => new(() => ArmModels.Open(run, arm))).Value), name);
    }

    private static IChatClient ClientOf(LocalArm arm) => arm.SystemMessages.Count == 0 ? arm.Client : new WithSystem(arm.Client, arm.SystemMessages);

    private sealed class WithSystem(IChatClient client, IReadOnlyList<ChatMessage> system) : DelegatingChatClient(client)
    {
        public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            base.GetResponseAsync([.. system, .. messages], options, cancellationToken);
    }
}
