using Deliberate.Auditing;
using Deliberate.Runs;
using Deliberate.Server.Access;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Deliberate.Server.Audit;

/// <summary>
/// <c>GET /v1/audit?after=N&amp;limit=N</c> and <c>GET /v1/audit/{id}</c>: exchanges with their thoughts, for keys with the audit right.
/// </summary>
internal static class AuditEndpoints
{
    private const int MostEntries = 1000;

    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/audit").RequireAuthorization(Rights.Audit);
        group.MapGet("", (AuditLog log, long? after, int? limit) =>
        {
            if (after < 0) throw ApiException.Invalid("after", "'after' is the number of a record, 0 or more.");
            if (limit is < 1 or > MostEntries) throw ApiException.Invalid("limit", $"'limit' is from 1 to {MostEntries}.");
            var entries = log.Read(after ?? 0, limit ?? 100);
            return Results.Json(new AuditPage([.. entries.Select(AuditItem.Of)], log.Last, entries.Count > 0 && entries[^1].Number < log.Last), RunJson.Options);
        });
        group.MapGet("/{id}", (string id, AuditLog log) => log.Find(id) is { } entry ? Results.Json(AuditItem.Of(entry), RunJson.Options)
            : throw new ApiException(new(404, "invalid_request_error", "not_found", "The audit log has no exchange of this id.", "id")));
    }

    private sealed record AuditPage(IReadOnlyList<AuditItem> Data, long Last, bool HasMore);

    // The facts stand in the record itself; the parts that can be redacted stand beside them, null when they were.
    private sealed record AuditItem(long Number, string Hash, AuditExchange Exchange, IReadOnlyList<Conversations.Turn>? Conversation, string? Thinking, string? Answer, string? Error)
    {
        public static AuditItem Of(AuditEntry entry) =>
            new(entry.Number, entry.Hash, entry.Exchange, entry.Exchange.Conversation, entry.Exchange.Thinking, entry.Exchange.Answer, entry.Exchange.Error);
    }
}
