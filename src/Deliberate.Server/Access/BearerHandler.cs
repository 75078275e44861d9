using System.Text.Encodings.Web;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deliberate.Server.Access;

/// <summary>Recognises callers by the key in their Authorization header. A key anywhere else, such as in an address, counts for nothing.</summary>
internal sealed class BearerHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, KeyFile keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header.Count == 0) return Task.FromResult(AuthenticateResult.NoResult());
        const string scheme = "Bearer ";
        if (header.Count > 1 || header[0] is not { Length: < 512 } value || !value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) || keys.Find(value[scheme.Length..].Trim()) is not { } key)
            return Task.FromResult(AuthenticateResult.Fail("The key is not known."));
        return Task.FromResult(AuthenticateResult.Success(new(key.Principal(Scheme.Name), Scheme.Name)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        return ApiError.InvalidKey.WriteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => ApiError.Forbidden("This key does not have the right to that.").WriteAsync(Context);
}
