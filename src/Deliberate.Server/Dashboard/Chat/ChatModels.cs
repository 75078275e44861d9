using Deliberate.Server.Chat;
using Deliberate.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Dashboard.Chat;

/// <summary>The models of the chat page: those of the dashboard's options, and those that the same application serves, as it serves them. Thread-safe.</summary>
internal sealed class ChatModels(DashboardOptions options, IServiceProvider services)
{
    /// <summary>The models that can be asked now.</summary>
    public IReadOnlyList<DashboardModel> List()
    {
        var limits = services.GetService<KeyLimits>();
        return
        [
            .. options.Models(),
            .. (services.GetService<ServedModels>()?.All ?? []).Select(model => new DashboardModel(model.Name, () => model.Client) { IsServed = true, Limits = limits }),
        ];
    }
}
