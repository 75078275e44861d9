using Deliberate.Endpoints.Models;
using Microsoft.Extensions.AI;

namespace Deliberate.Pipeline.Clients;

/// <summary>Opens single models behind endpoints, for work outside of runs.</summary>
public static class EndpointClient
{
    /// <summary>A model with its limits within and the run store outside: what was answered once is not paid for again. Disposing the client closes the store.</summary>
    /// <param name="settings">The model, behind an endpoint.</param>
    /// <param name="run">The name under which its responses are noted.</param>
    /// <param name="stage">What the calls are for.</param>
    /// <param name="responses">The store's file.</param>
    /// <exception cref="AlignmentException">The store cannot be opened.</exception>
    /// <exception cref="ModelSettingsException">A named key is not set.</exception>
    public static IChatClient Open(ModelSettings settings, string run, string stage, string? responses = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var roles = new ModelRoles { Base = settings, Responses = responses ?? ModelRoles.DefaultResponses };
        var clients = RunClients.Open(roles, run, (_, _) => throw new AlignmentException($"{settings.Name} is not behind an endpoint."));
        return new Owner(clients.Base.For(stage), clients);
    }

    private sealed class Owner(IChatClient client, RunClients clients) : DelegatingChatClient(client)
    {
        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing) clients.Dispose();
        }
    }
}
