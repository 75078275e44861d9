using Deliberate.Endpoints.Models;
using Deliberate.Runs.Store;

namespace Deliberate.Pipeline.Clients;

/// <summary>The models of one run, opened. A judge of the same name and settings as the base is the same client, so that their limits are one.</summary>
internal sealed class RunClients : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private ResponseStore? _store;

    private RunClients(ModelRoles roles, string run) => (Roles, Run) = (roles, run);

    /// <summary>The run's name, under which responses are noted.</summary>
    public string Run { get; }

    public RoleClient Base { get; private set; } = null!;

    public RoleClient Judge { get; private set; } = null!;

    public RoleClient? Grader { get; private set; }

    /// <summary>Opens them.</summary>
    /// <param name="roles">Who they are.</param>
    /// <param name="run">The run's name, under which their responses are noted.</param>
    /// <param name="local">Opens a model of this machine by its folder (null stands for the run's own), for these clients.</param>
    /// <exception cref="AlignmentException">The grader is the judge, a model cannot be opened, or the store is in use in a way that it cannot be.</exception>
    /// <exception cref="ModelSettingsException">A named key is not set.</exception>
    public static RunClients Open(ModelRoles roles, string run, Func<string?, RunClients, RoleClient> local)
    {
        var clients = new RunClients(roles, run);
        try
        {
            var judge = roles.Judge ?? roles.Base;
            if (roles.Grader is { } grader && NameOf(grader) == NameOf(judge))
                throw new AlignmentException($"the grader {grader.Name} is also the judge that selects the training data, and what trains must not measure: name another with --grader.");
            var opened = new Dictionary<string, RoleClient>();
            RoleClient Client(ModelSettings? settings)
            {
                if (opened.TryGetValue(NameOf(settings), out var same)) return same;
                var client = settings?.Name.Address is null ? local(settings is null ? null : settings.Name.Path ?? ShippedModel.Folder, clients) : RoleClient.Remote(settings, clients);
                clients._owned.Add(client);
                return opened[NameOf(settings)] = client;
            }

            clients.Base = Client(roles.Base);
            clients.Judge = Client(judge);
            clients.Grader = roles.Grader is null ? null : Client(roles.Grader);
            return clients;
        }
        catch
        {
            clients.Dispose();
            throw;
        }
    }

    /// <summary>How the calls are kept.</summary>
    public ModelRoles Roles { get; }

    /// <summary>Where responses are kept; opened when it is first asked for.</summary>
    /// <exception cref="AlignmentException">It cannot be opened.</exception>
    public ResponseStore Responses => _store ??= OpenStore(Roles.Responses);

    /// <summary>Lets all go: the models first, then the store.</summary>
    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
        _owned.Clear();
        _store?.Dispose();
        _store = null;
    }

    private static string NameOf(ModelSettings? settings) => settings is null ? "" : RoleClient.NameOf(settings);

    private static ResponseStore OpenStore(string path)
    {
        try
        {
            return ResponseStore.Open(path);
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new AlignmentException(problem.Message, problem);
        }
    }
}
