using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

/// <summary>A body is read the same however it comes: with the headers, in pieces of any size, in chunks, or longer than a buffer of the web server.</summary>
public sealed class JsonBodyTests
{
    private const int Whole = int.MaxValue;

    [Theory]
    [InlineData(Whole, false, 0)]
    [InlineData(Whole, false, 20_000)]
    [InlineData(7, false, 0)]
    [InlineData(3_000, false, 20_000)]
    [InlineData(Whole, true, 0)]
    [InlineData(7, true, 0)]
    [InlineData(3_000, true, 20_000)]
    public async Task However_it_comes_it_is_read(int piece, bool chunked, int more)
    {
        var judge = new ScriptedJudge(0.5);
        await using var host = await RewardHost.StartAsync(judge);
        var answer = $"Über {new string('x', more)} Rosen.";
        foreach (var mark in new[] { "", "\uFEFF" })
            Assert.Contains("HTTP/1.1 200", await SendAsync(host, mark + RewardHost.Score(answer), piece, chunked), StringComparison.Ordinal);
        Assert.Equal(answer, Assert.Single(judge.Seen).View.Answer);
    }

    [Theory]
    [InlineData("/score", "{\"solution_str\":\"a\",\"extra_info\":{\"prompt\":\"b\"}} x")]
    [InlineData("/score", "{\"solution_str\":\"a\",\"extra_info\":{\"prompt\":\"b\"}")]
    [InlineData("/reward", "{\"query\":[\"a b\"],\"prompts\":[\"a\"],\"labels\":[null]}{}")]
    [InlineData("/reward", "")]
    [InlineData("/score", "")]
    public async Task What_is_too_much_or_too_little_is_refused_however_it_comes(string path, string body)
    {
        var judge = new ScriptedJudge(0.5);
        await using var host = await RewardHost.StartAsync(judge);
        foreach (var (piece, chunked) in new[] { (Whole, false), (5, false), (Whole, true), (5, true) })
            Assert.Contains("HTTP/1.1 400", await SendAsync(host, body, piece, chunked, path), StringComparison.Ordinal);
        Assert.Empty(judge.Seen);
    }

    // The whole response; the connection ends with it.
    private static async Task<string> SendAsync(RewardHost host, string body, int piece, bool chunked, string path = "/score")
    {
        var cancel = TestContext.Current.CancellationToken;
        var bytes = Encoding.UTF8.GetBytes(body);
        var length = chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {bytes.Length}";
        var head = Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {RewardHost.Key}\r\nContent-Type: application/json\r\n{length}\r\n\r\n");
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(host.Address.Host, host.Address.Port, cancel);
        await using var stream = client.GetStream();
        if (piece == Whole) await stream.WriteAsync((byte[])[.. head, .. chunked ? Chunk(bytes) : bytes, .. chunked ? End : []], cancel);
        else
        {
            await stream.WriteAsync(head, cancel);
            foreach (var part in bytes.Chunk(piece))
            {
                await stream.WriteAsync(chunked ? Chunk(part) : part, cancel);
                await Task.Delay(1, cancel);
            }

            if (chunked) await stream.WriteAsync(End, cancel);
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(cancel);
    }

    private static byte[] End => "0\r\n\r\n"u8.ToArray();

    private static byte[] Chunk(byte[] bytes) => bytes.Length == 0 ? [] : [.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8];
}
