using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Dashboard.Login;

/// <summary>Takes forms that the dashboard itself has made, and no large ones.</summary>
internal static class FormGuard
{
    private const long MaxBytes = 1 << 20;

    public static async ValueTask<object?> CheckAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = MaxBytes;
        try
        {
            await http.RequestServices.GetRequiredService<IAntiforgery>().ValidateRequestAsync(http);
        }
        catch (AntiforgeryValidationException)
        {
            return PageSource.Message(http, StatusCodes.Status400BadRequest, "Form out of date",
                "This form was made before you logged in, or before the server was started anew. Go back, reload the page and send it again.");
        }
        catch (BadHttpRequestException)
        {
            return PageSource.Message(http, StatusCodes.Status413PayloadTooLarge, "Form too large", "A form may have 1 MiB at most.");
        }

        return await next(context);
    }
}
