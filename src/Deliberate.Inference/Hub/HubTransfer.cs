using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Inference.Files;

namespace Deliberate.Inference.Hub;

/// <summary>One model's way from a hub into its cache, under the cache's lock.</summary>
internal sealed class HubTransfer(HubClient client, HubCache cache, HubReference model, HubOptions options, IProgress<HubProgress>? progress)
{
    private const int BufferSize = 1 << 17;
    private const int Headway = 1 << 20;

    private long _arrived;

    public string Snapshot(string commit) => cache.Snapshot(commit);

    public void Finish(string commit) => cache.Refer(commit);

    public Task<(string Commit, IReadOnlyList<HubFile> Files)> ListAsync(int retries, CancellationToken cancel) => PatientlyAsync(() => client.ListAsync(model, cancel), retries, cancel);

    /// <summary>Fetches the files that the snapshot of this commit lacks.</summary>
    public async Task FilesAsync(string commit, IReadOnlyList<HubFile> files, CancellationToken cancel)
    {
        foreach (var file in files)
            if (file.Size < 0) throw new HubException($"{model}: the hub does not say how large '{file.Name}' is.");
        long done = 0, total = files.Sum(file => file.Size);
        foreach (var file in files)
        {
            // A snapshot belongs to one commit: what is in it stays right.
            if (!cache.Has(commit, file.Name, file.Size))
            {
                var before = done;
                var etag = await PatientlyAsync(() => ContentAsync(commit, file, here => progress?.Report(new(file.Name, before + here, total)), cancel), options.Retries, cancel);
                cache.Link(commit, file.Name, etag);
            }

            progress?.Report(new(file.Name, done += file.Size, total));
        }
    }

    // The content as a blob; gives its ETag.
    private async Task<string> ContentAsync(string commit, HubFile file, Action<long> arrived, CancellationToken cancel)
    {
        var etag = await client.EtagAsync(model, commit, file.Name, cancel);
        if (File.Exists(cache.Blob(etag))) return etag;
        var part = cache.Part(etag);
        await using (var to = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read))
        {
            if (to.Length > file.Size) to.SetLength(0);
            if (to.Length < file.Size) await ReceiveAsync(commit, file, to, arrived, cancel);
            to.Flush(flushToDisk: true);
        }

        if (await WrongAsync(part, etag, file.Sha256, cancel) is { } expected)
        {
            File.Delete(part);
            throw new HubException($"{model}: '{file.Name}' does not have the hash {expected} that the hub names; what came was deleted, fetch it again.");
        }

        File.Move(part, cache.Blob(etag), overwrite: true);
        return etag;
    }

    private async Task ReceiveAsync(string commit, HubFile file, FileStream to, Action<long> arrived, CancellationToken cancel)
    {
        using var answer = await client.OpenAsync(model, commit, file.Name, to.Length, cancel);
        // What was sent decides, not what was asked for.
        var start = answer.StatusCode == HttpStatusCode.PartialContent ? answer.Content.Headers.ContentRange?.From ?? -1 : 0;
        if (start < 0 || start > to.Length) throw new HubException($"{model}: the answer for '{file.Name}' starts at the wrong place.");
        to.SetLength(start);
        to.Position = start;
        var buffer = new byte[BufferSize];
        await using var from = await answer.Content.ReadAsStreamAsync(cancel);
        while (await ReadAsync(from, buffer, cancel) is > 0 and var count)
        {
            if (to.Position + count > file.Size) throw new HubException($"{model}: '{file.Name}' is longer than the {file.Size} bytes that the hub lists.");
            await to.WriteAsync(buffer.AsMemory(0, count), cancel);
            _arrived += count;
            arrived(to.Position);
        }

        if (to.Position < file.Size) throw new HttpRequestException($"the connection ended after {to.Position} of {file.Size} bytes of '{file.Name}'");
    }

    // Errors of the network are told from those of the disk, which no patience mends.
    private async Task<int> ReadAsync(Stream from, byte[] buffer, CancellationToken cancel)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        silence.CancelAfter(options.Silence);
        try
        {
            return await from.ReadAsync(buffer, silence.Token);
        }
        catch (IOException error)
        {
            throw new HttpRequestException(error.Message, error);
        }
    }

    // Large files are named by their SHA-256, small ones as git names them. Another hub's names say nothing; then size alone is checked.
    private static async Task<string?> WrongAsync(string path, string etag, string? sha256, CancellationToken cancel)
    {
        var isGit = etag.Length == 40 && etag.All(char.IsAsciiHexDigitLower);
        var expected = sha256 ?? (etag.Length == 64 && etag.All(char.IsAsciiHexDigitLower) ? etag : null);
        if (expected is null && !isGit) return null;
        await using var stream = File.OpenRead(path);
        using var hash = IncrementalHash.CreateHash(expected is null ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
        if (expected is null) hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {stream.Length}\0")));
        var buffer = new byte[BufferSize];
        for (int count; (count = await stream.ReadAsync(buffer, cancel)) > 0;) hash.AppendData(buffer.AsSpan(0, count));
        return Convert.ToHexStringLower(hash.GetHashAndReset()) == (expected ?? etag) ? null : OneLine.Of(expected ?? etag);
    }

    private async Task<T> PatientlyAsync<T>(Func<Task<T>> attempt, int retries, CancellationToken cancel)
    {
        var (wait, arrived) = (options.FirstWait, _arrived);
        for (var failures = 0; ; failures++)
        {
            try
            {
                return await attempt();
            }
            catch (Exception error) when (error is HttpRequestException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                // A long transfer may break often as long as it gets on.
                if (_arrived - arrived >= Headway) (failures, wait, arrived) = (0, options.FirstWait, _arrived);
                if (failures >= retries)
                {
                    var problem = error is HttpRequestException ? OneLine.Of(error.Message) : $"nothing came for {options.Silence.TotalSeconds:0} s";
                    throw new HubException($"{model}: {options.Endpoint.Host} cannot be reached or breaks off: {problem}", error);
                }

                await Task.Delay(wait, cancel);
                wait *= 2;
            }
        }
    }
}
