using Deliberate.Inference.Files;
using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Hub;

/// <summary>
/// Fetches what a model needs (configuration, tokenizer, chat template, safetensors) from a hub into its cache. Broken transfers go on
/// where they stopped, and every content is checked against the hash that the hub names it by.
/// </summary>
public static class HubDownload
{
    private const string Single = "model.safetensors";

    private static readonly HashSet<string> Wanted =
    [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", Single, TensorFolder.IndexName,
    ];

    /// <summary>
    /// The folder of the model, fetched where it is not complete in the cache. A commit that is complete there, and a branch or tag
    /// when the hub cannot be reached or <see cref="HubOptions.Offline"/> is set, is taken from the cache as it is.
    /// </summary>
    /// <param name="model">Which.</param>
    /// <param name="options">Where from and where to.</param>
    /// <param name="progress">Hears of every piece that arrives.</param>
    /// <param name="cancel">Stops it; what has arrived is kept.</param>
    /// <exception cref="HubException">It cannot be had; the message is one line.</exception>
    public static async Task<string> GetAsync(HubReference model, HubOptions options, IProgress<HubProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        var cache = new HubCache(options.Cache, model);
        try
        {
            var known = cache.Known();
            if (known is not null && (options.Offline || Path.GetFileName(known) == model.Revision)) return known;
            if (options.Offline) throw new HubException($"{model}: not in the cache {options.Cache}, and HF_HUB_OFFLINE forbids fetching it; unset it once to fetch the model.");
            using var client = new HubClient(options);
            using var one = await cache.LockAsync(cancel);
            var transfer = new HubTransfer(client, cache, model, options, progress);
            string commit;
            IReadOnlyList<HubFile> listed;
            try
            {
                (commit, listed) = await transfer.ListAsync(known is null ? options.Retries : 1, cancel);
            }
            catch (HubException error) when (known is not null && error.InnerException is HttpRequestException or OperationCanceledException)
            {
                options.Note?.Invoke($"{model}: {options.Endpoint.Host} cannot be reached; the cache's commit {Path.GetFileName(known)} is used, which may not be the newest.");
                return known;
            }

            return await FetchAsync(transfer, model, commit, listed, cancel);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new HubException($"{model}: the cache {options.Cache} cannot be used: {OneLine.Of(error.Message)}", error);
        }
    }

    private static async Task<string> FetchAsync(HubTransfer transfer, HubReference model, string commit, IReadOnlyList<HubFile> listed, CancellationToken cancel)
    {
        var files = new Dictionary<string, HubFile>(StringComparer.Ordinal);
        foreach (var file in listed) files.TryAdd(file.Name, file);
        if (!files.ContainsKey("config.json")) throw new HubException($"{model}: the repository has no config.json.");
        var isSharded = !files.ContainsKey(Single);
        if (isSharded && !files.ContainsKey(TensorFolder.IndexName)) throw new HubException($"{model}: the repository has no {Single}; other weights are not read (a GGUF file can be imported).");
        // Names are taken from this list, never from the hub. Weights come last, so that a snapshot with weights has everything.
        HubFile[] small = [.. Wanted.Where(name => name != (isSharded ? Single : TensorFolder.IndexName) && name != Single && files.ContainsKey(name)).Select(name => files[name])];
        await transfer.FilesAsync(commit, small, cancel);
        HubFile[] weights = isSharded ? [.. Shards(transfer.Snapshot(commit), model, files)] : [files[Single]];
        await transfer.FilesAsync(commit, weights, cancel);
        transfer.Finish(commit);
        return transfer.Snapshot(commit);
    }

    private static IEnumerable<HubFile> Shards(string snapshot, HubReference model, Dictionary<string, HubFile> files)
    {
        IReadOnlyList<string> names;
        try
        {
            names = TensorFolder.Shards(Path.Combine(snapshot, TensorFolder.IndexName));
        }
        catch (InvalidDataException error)
        {
            throw new HubException($"{model}: {error.Message}", error);
        }

        foreach (var name in names)
        {
            if (!name.EndsWith(".safetensors", StringComparison.Ordinal) || name.StartsWith('.')) throw new HubException($"{model}: the index names '{OneLine.Of(name)}', which is no safetensors file.");
            yield return files.TryGetValue(name, out var file) ? file : throw new HubException($"{model}: the index names '{OneLine.Of(name)}', which the repository does not have.");
        }
    }
}
