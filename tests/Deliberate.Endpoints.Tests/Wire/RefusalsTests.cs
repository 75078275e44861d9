using System.Net;
using Deliberate.Endpoints.Wire;
using Xunit;

namespace Deliberate.Endpoints.Tests.Wire;

public class RefusalsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static HttpResponseMessage With(params (string Name, string Value)[] headers)
    {
        var reply = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        foreach (var (name, value) in headers) reply.Headers.TryAddWithoutValidation(name, value);
        return reply;
    }

    [Theory]
    [InlineData("30", 30.0)]
    [InlineData("0", 0.0)]
    [InlineData("1.5", 1.5)]
    [InlineData("Fri, 02 Jan 2026 03:05:00 GMT", 55.0)]
    [InlineData("Fri, 02 Jan 2026 03:00:00 GMT", 0.0)]
    [InlineData("-5", null)]
    [InlineData("soon", null)]
    [InlineData("1e300", null)]
    public void Retry_After_is_seconds_or_a_date(string value, double? seconds)
    {
        using var reply = With(("Retry-After", value));
        Assert.Equal(seconds, Refusals.RetryAfter(reply.Headers, Now)?.TotalSeconds);
    }

    [Fact]
    public void Milliseconds_go_before_seconds()
    {
        using var reply = With(("retry-after-ms", "250"), ("Retry-After", "1"));
        Assert.Equal(TimeSpan.FromMilliseconds(250), Refusals.RetryAfter(reply.Headers, Now));
        using var none = With();
        Assert.Null(Refusals.RetryAfter(none.Headers, Now));
    }

    [Theory]
    [InlineData(401, "", FailureReason.RefusedKey)]
    [InlineData(402, "", FailureReason.OutOfCredit)]
    [InlineData(429, "", FailureReason.RateLimited)]
    [InlineData(429, """{"error":{"code":"insufficient_quota","message":"m"}}""", FailureReason.OutOfCredit)]
    [InlineData(503, "", FailureReason.Overloaded)]
    [InlineData(529, "", FailureReason.Overloaded)]
    [InlineData(500, "", FailureReason.ServerError)]
    [InlineData(504, "", FailureReason.Timeout)]
    [InlineData(400, """{"error":{"message":"bad\nfield"}}""", FailureReason.RefusedRequest)]
    [InlineData(404, """{"detail":"no such model"}""", FailureReason.RefusedRequest)]
    [InlineData(307, "", FailureReason.RefusedRequest)]
    public void A_status_has_a_reason_and_a_line(int status, string body, FailureReason reason)
    {
        using var reply = With();
        var failure = Refusals.Read("m at http://h/v1", status, reply.Headers, body, "MY_KEY", Now);
        Assert.Equal((reason, status), (failure.Reason, failure.StatusCode));
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Contains(status.ToString(System.Globalization.CultureInfo.InvariantCulture), failure.Message, StringComparison.Ordinal);
    }
}
