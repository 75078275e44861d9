using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Deliberate.Bench;

/// <summary>
/// Sends one request over and over, with a new number in each, over connections that stay open. A thread a connection, with blocking calls: nothing of the
/// client's own scheduling is in the latencies.
/// </summary>
internal sealed class RewardLoad : IDisposable
{
    /// <summary>What is replaced by the number of the request.</summary>
    public const string Number = "0000000000";

    private static long _next;
    private readonly Worker[] _workers;
    private int _failed;

    public RewardLoad(Uri address, string path, string body, int workers)
    {
        var request = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"));
        _workers = [.. Enumerable.Range(0, workers).Select(_ => new Worker(new(IPAddress.Loopback, address.Port), [.. request]))];
    }

    /// <summary>Requests that got no reply, or another than 200.</summary>
    public int Failed => _failed;

    /// <summary>Sends at a steady rate, however long replies take.</summary>
    /// <returns>Milliseconds from when each request was due to its reply; NaN for those that got none.</returns>
    public double[] Open(double seconds, int rate)
    {
        var latencies = new double[(int)(seconds * rate)];
        var (next, start) = (-1, Stopwatch.GetTimestamp());
        Together(worker =>
        {
            while (Interlocked.Increment(ref next) is var number && number < latencies.Length)
            {
                var due = number * 1000.0 / rate;
                for (var left = due - Passed(); left > 0; left = due - Passed())
                    if (left > 1.3) Thread.Sleep((int)(left - 0.3));
                    else Thread.Yield();
                latencies[number] = Send(worker) ? Passed() - due : double.NaN;
            }
        });
        return latencies;

        double Passed() => Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Sends as fast as replies come.</summary>
    /// <returns>How many replies came.</returns>
    public long Closed(double seconds)
    {
        var (count, start) = (0L, Stopwatch.GetTimestamp());
        Together(worker =>
        {
            var mine = 0L;
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
                if (Send(worker)) mine++;
            Interlocked.Add(ref count, mine);
        });
        return count;
    }

    public void Dispose()
    {
        foreach (var worker in _workers) worker.Dispose();
    }

    private bool Send(Worker worker)
    {
        if (worker.Send(Interlocked.Increment(ref _next))) return true;
        Interlocked.Increment(ref _failed);
        return false;
    }

    private void Together(Action<Worker> work)
    {
        var threads = _workers.Select(worker => new Thread(() => work(worker), 256 << 10)).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
    }

    private sealed class Worker(IPEndPoint server, byte[] request) : IDisposable
    {
        private readonly byte[] _reply = new byte[16 << 10];
        private readonly int _number = request.AsSpan().IndexOf("0000000000"u8);
        private Socket? _socket;

        public bool Send(long number)
        {
            number.TryFormat(request.AsSpan(_number), out _, "D10", CultureInfo.InvariantCulture);
            try
            {
                if (_socket is null)
                {
                    _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    _socket.Connect(server);
                }

                for (var sent = 0; sent < request.Length;) sent += _socket.Send(request.AsSpan(sent));
                return Receive();
            }
            catch (SocketException)
            {
                Dispose();
                return false;
            }
        }

        public void Dispose()
        {
            _socket?.Dispose();
            _socket = null;
        }

        private bool Receive()
        {
            var (length, whole) = (0, int.MaxValue);
            while (length < whole)
            {
                var got = _socket!.Receive(_reply.AsSpan(length));
                if (got == 0)
                {
                    Dispose();
                    return false;
                }

                length += got;
                var head = _reply.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
                if (head < 0 || whole != int.MaxValue) continue;
                var field = _reply.AsSpan(0, head).IndexOf("Content-Length: "u8);
                if (field < 0) throw new InvalidOperationException("The reply has no length.");
                var digits = _reply.AsSpan((field + 16)..head);
                var end = digits.IndexOf((byte)'\r');
                whole = head + 4 + int.Parse(end < 0 ? digits : digits[..end], CultureInfo.InvariantCulture);
            }

            return _reply.AsSpan(0, 12).SequenceEqual("HTTP/1.1 200"u8);
        }
    }
}
