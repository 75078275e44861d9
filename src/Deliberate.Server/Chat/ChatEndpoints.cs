using Deliberate.Server.Access;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Deliberate.Server.Chat;

/// <summary>Maps the addresses at which models are asked.</summary>
internal static class ChatEndpoints
{
    public static void MapChat(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1").RequireAuthorization(Rights.Chat);
        group.MapPost("/chat/completions", ChatCompletions.HandleAsync).WithMetadata(LimitedByKey.Instance);
        group.MapPost("/responses", ResponsesApi.HandleAsync).WithMetadata(LimitedByKey.Instance);
        group.MapGet("/models", (ServedModels models) => Results.Json(new { @object = "list", data = models.All.Select(Shown) }));
        group.MapGet("/models/{**name}", (string name, ServedModels models) => Results.Json(Shown(models.Find(name))));
    }

    private static object Shown(ServedModel model) => new { id = model.Name, @object = "model", created = 0, owned_by = "deliberate" };
}
