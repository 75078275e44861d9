using Deliberate.Inference.Hub;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Xunit;

namespace Deliberate.Inference.Tests.Hub;

public sealed class HubDownloadTests : IAsyncLifetime
{
    private static readonly HubReference Model = new("o", "m");

    private readonly List<string> _notes = [];
    private readonly TemporaryFolder _folder = new();
    private HubServer _server = null!;

    private string Cache => _folder.File("cache");

    private string Root => Path.Combine(Cache, "models--o--m");

    private string Snapshot => Path.Combine(Root, "snapshots", HubServer.Commit);

    public async ValueTask InitializeAsync()
    {
        _server = await HubServer.StartAsync();
        ModelFolder.Save(_folder.File("source"), Tiny.Weights(Tiny.Odd), Tiny.Tokenizer, StorageType.F32);
        File.WriteAllText(Path.Combine(_folder.File("source"), "README.md"), "not needed");
        File.WriteAllText(Path.Combine(_folder.File("source"), "pytorch_model.bin"), "not needed");
        _server.Publish(_folder.File("source"));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_model_lies_in_the_cache_as_other_programs_put_it()
    {
        var progress = new List<HubProgress>();
        var path = await HubDownload.GetAsync(Model, Options(), new Collect(progress), TestContext.Current.CancellationToken);
        Assert.Equal(Snapshot, path);
        Assert.Equal(HubServer.Commit, File.ReadAllText(Path.Combine(Root, "refs", "main")));
        string[] expected = ["config.json", "model.safetensors", "tokenizer.json"];
        Assert.Equal(expected, Directory.GetFiles(path).Select(Path.GetFileName).Order());
        foreach (var name in expected)
        {
            Assert.Equal(_server.Files[name], File.ReadAllBytes(Path.Combine(path, name)));
            Assert.Equal(_server.Files[name], File.ReadAllBytes(Path.Combine(Root, "blobs", _server.EtagOf(name))));
            if (!OperatingSystem.IsWindows()) Assert.Equal($"../../blobs/{_server.EtagOf(name)}", new FileInfo(Path.Combine(path, name)).LinkTarget);
        }

        Assert.Equal(3, Directory.GetFiles(Path.Combine(Root, "blobs")).Length);
        var total = expected.Sum(name => (long)_server.Files[name].Length);
        // Small files together, then the weights.
        Assert.Equal(total, progress.GroupBy(step => step.Total, (_, steps) => steps.Last().Done).Sum());
        Assert.Equal(new("model.safetensors", _server.Files["model.safetensors"].Length, _server.Files["model.safetensors"].Length), progress[^1]);
        Assert.All(progress, step => Assert.InRange(step.Done, 1, step.Total));
        Assert.NotNull(ModelFolder.Load(path));
    }

    [Fact]
    public async Task What_is_there_is_not_fetched_again()
    {
        await GetAsync();
        var before = _server.ToHub.Count;
        await GetAsync();
        Assert.Equal((before + 1, 1), (_server.ToHub.Count, _server.ToStore.Count));
        // A commit never changes: nobody is asked.
        Assert.Equal(Snapshot, await GetAsync(Model with { Revision = HubServer.Commit }));
        Assert.Equal(before + 1, _server.ToHub.Count);
        // A file that was taken out comes back from its blob.
        File.Delete(Path.Combine(Snapshot, "model.safetensors"));
        await GetAsync();
        Assert.Single(_server.ToStore);
        Assert.True(File.Exists(Path.Combine(Snapshot, "model.safetensors")));
    }

    [Fact]
    public async Task Shards_are_those_of_the_index()
    {
        Shard();
        _server.Files["model-00001-of-00099.safetensors"] = [1, 2, 3];
        using var model = StoredModel.Open(await GetAsync());
        Assert.True(model.Tensors.Files.Count > 1);
        Assert.Equal(model.Tensors.Files.Count, _server.ToStore.Count);
        Assert.False(File.Exists(Path.Combine(Snapshot, "model-00001-of-00099.safetensors")));
    }

    [Fact]
    public async Task A_cut_connection_goes_on_where_it_broke()
    {
        foreach (var cut in (int[])[5_000, 7_000]) _server.Cuts.Enqueue(cut);
        await GetAsync();
        Assert.Equal([null, "bytes=5000-", "bytes=12000-"], _server.ToStore.Select(request => request.Range));
        Assert.Equal(_server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(Snapshot, "model.safetensors")));
    }

    [Fact]
    public async Task So_does_the_next_call_after_all_patience()
    {
        _server.Cuts.Enqueue(5_000);
        Assert.Contains("breaks off", await FailsAsync(Options(retries: 0)), StringComparison.Ordinal);
        Assert.Equal(5_000, new FileInfo(Path.Combine(Root, "blobs", _server.EtagOf("model.safetensors") + ".part")).Length);
        await GetAsync();
        Assert.Equal([null, "bytes=5000-"], _server.ToStore.Select(request => request.Range));
        Assert.Equal(_server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(Snapshot, "model.safetensors")));
    }

    [Fact]
    public async Task A_part_of_another_content_is_not_gone_on_with()
    {
        _server.Cuts.Enqueue(5_000);
        await FailsAsync(Options(retries: 0));
        _server.Files["model.safetensors"] = [.. _server.Files["model.safetensors"].Reverse()];
        await GetAsync();
        Assert.Equal([null, null], _server.ToStore.Select(request => request.Range));
    }

    [Fact]
    public async Task A_server_that_sends_everything_again_is_understood()
    {
        _server.IgnoresRange = true;
        _server.Cuts.Enqueue(5_000);
        await GetAsync();
        Assert.Equal(_server.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(Snapshot, "model.safetensors")));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    public async Task A_wrong_hash_is_refused_and_nothing_stays(string name)
    {
        var wrong = _server.Files[name].ToArray();
        wrong[^1] ^= 1;
        _server.Sent[name] = wrong;
        var message = await FailsAsync(Options());
        Assert.Contains($"'{name}' does not have the hash", message, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(Root, "blobs")), file => Path.GetFileName(file).StartsWith(_server.EtagOf(name), StringComparison.Ordinal));
        Assert.False(Path.Exists(Path.Combine(Snapshot, name)));
        _server.Sent.Clear();
        await GetAsync();
    }

    [Fact]
    public async Task The_hash_of_the_list_counts_whatever_the_etag_is()
    {
        _server.Etags["model.safetensors"] = "abc-1";
        _server.Sent["model.safetensors"] = [.. _server.Files["model.safetensors"].Reverse()];
        Assert.Contains("does not have the hash", await FailsAsync(Options()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_bytes_than_listed_are_refused()
    {
        _server.Sent["model.safetensors"] = [.. _server.Files["model.safetensors"], 1];
        Assert.Contains("is longer than the", await FailsAsync(Options()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_alone()
    {
        await GetAsync(options: Options(token: "secret"));
        Assert.All(_server.ToHub, request => Assert.Equal("Bearer secret", request.Authorization));
        Assert.All(_server.ToStore, request => Assert.Null(request.Authorization));
        Assert.Single(_server.ToStore);
    }

    [Theory]
    [InlineData(401, null, "for a private or gated model set HF_TOKEN")]
    [InlineData(401, "secret", "that HF_TOKEN is valid")]
    [InlineData(403, null, "accept the model's terms on")]
    [InlineData(403, "secret", "HF_TOKEN must belong to that account")]
    [InlineData(404, null, "no such model, revision or file")]
    [InlineData(429, null, "too many requests; with HF_TOKEN more are allowed")]
    [InlineData(400, null, "answers 400")]
    public async Task A_refusal_is_one_line_that_says_what_to_do(int status, string? token, string expected)
    {
        _server.Status = status;
        var message = await FailsAsync(Options(token));
        Assert.StartsWith("hf:o/m@main: 127.0.0.1 ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_busy_hub_is_asked_again()
    {
        _server.Busy = 2;
        await GetAsync();
        Assert.True(File.Exists(Path.Combine(Snapshot, "model.safetensors")));
    }

    [Fact]
    public async Task Without_a_hub_the_cache_is_used()
    {
        var offline = Options(offline: true);
        Assert.Contains("not in the cache", await FailsAsync(offline), StringComparison.Ordinal);
        await GetAsync();
        var count = _server.ToHub.Count;
        Assert.Equal(Snapshot, await GetAsync(options: offline));
        Assert.Equal(count, _server.ToHub.Count);
        await _server.DisposeAsync();
        Assert.Empty(_notes);
        Assert.Equal(Snapshot, await GetAsync());
        Assert.Contains("127.0.0.1 cannot be reached; the cache's commit", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Contains("cannot be reached", await FailsAsync(Options(), Model with { Revision = "v2" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_state_that_breaks_off_is_an_error_and_the_older_one_stays()
    {
        await GetAsync();
        _server.Head = new string('f', 40);
        _server.Files["model.safetensors"] = [.. _server.Files["model.safetensors"].Reverse()];
        _server.Cuts.Enqueue(5_000);
        Assert.Contains("breaks off", await FailsAsync(Options(retries: 0)), StringComparison.Ordinal);
        Assert.Equal(Snapshot, await GetAsync(options: Options(offline: true)));
        Assert.EndsWith(_server.Head, await GetAsync(), StringComparison.Ordinal);
        Assert.Equal(_server.Head, File.ReadAllText(Path.Combine(Root, "refs", "main")));
    }

    [Fact]
    public async Task A_snapshot_without_all_its_weights_is_none()
    {
        Shard();
        await GetAsync();
        File.Delete(Path.Combine(Snapshot, "model-00002-of-00003.safetensors"));
        Assert.Contains("not in the cache", await FailsAsync(Options(offline: true)), StringComparison.Ordinal);
        await GetAsync();
        Assert.Equal(Snapshot, await GetAsync(options: Options(offline: true)));
    }

    [Theory]
    [InlineData("http://example.com/x")]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("file:///etc/passwd")]
    public async Task A_redirect_to_anything_but_https_is_not_followed(string location)
    {
        _server.Location = location;
        Assert.Contains("not https; it is not followed", await FailsAsync(Options()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redirects_have_an_end()
    {
        _server.Location = $"{_server.Endpoint}o/m/resolve/{HubServer.Commit}/model.safetensors";
        Assert.Contains("redirects more than", await FailsAsync(Options()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../../evil")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("a/b")]
    public async Task An_etag_that_is_no_name_is_refused(string etag)
    {
        _server.Etags["model.safetensors"] = etag;
        Assert.Contains("no usable ETag", await FailsAsync(Options()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Paths_in_the_list_are_not_followed()
    {
        _server.AlsoListed.AddRange(["../../evil.safetensors", "/tmp/evil", "sub/config.json", "config.json"]);
        await GetAsync();
        Assert.Equal(3, Directory.GetFiles(Snapshot, "*", SearchOption.AllDirectories).Length);
    }

    [Theory]
    [InlineData("../evil.safetensors", "not the name of a file in this folder")]
    [InlineData("evil.sh", "no safetensors file")]
    [InlineData("missing.safetensors", "which the repository does not have")]
    public async Task An_index_that_names_something_else_is_refused(string name, string expected)
    {
        Shard();
        _server.AlsoListed.Add("../evil.safetensors");
        _server.Files["model.safetensors.index.json"] = System.Text.Encoding.UTF8.GetBytes($$$"""{"weight_map":{"w":"{{{name}}}"}}""");
        Assert.Contains(expected, await FailsAsync(Options()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", "has no config.json")]
    [InlineData("model.safetensors", "has no model.safetensors")]
    public async Task A_repository_without_a_model_is_named(string name, string expected)
    {
        _server.Files.Remove(name);
        Assert.Contains(expected, await FailsAsync(Options()), StringComparison.Ordinal);
        Assert.Empty(_server.ToStore);
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_named()
    {
        File.WriteAllText(Cache, "a file");
        Assert.Contains($"the cache {Cache} cannot be used", await FailsAsync(Options()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_at_once_fetch_once()
    {
        var paths = await Task.WhenAll(GetAsync(), GetAsync(), GetAsync());
        Assert.All(paths, path => Assert.Equal(Snapshot, path));
        Assert.Single(_server.ToStore);
    }

    private void Shard()
    {
        _server.Files.Remove("model.safetensors");
        using var model = StoredModel.Open(_folder.File("source"));
        ModelWriter.Write(_folder.File("sharded"), model.Weights(), TensorType.F32, maxShard: 50_000);
        _server.Publish(_folder.File("sharded"));
    }

    private HubOptions Options(string? token = null, int retries = 3, bool offline = false) =>
        new() { Endpoint = _server.Endpoint, Cache = Cache, Token = token, Retries = retries, Offline = offline, FirstWait = TimeSpan.FromMilliseconds(1), Note = _notes.Add };

    private Task<string> GetAsync(HubReference? model = null, HubOptions? options = null) => HubDownload.GetAsync(model ?? Model, options ?? Options(), _server, TestContext.Current.CancellationToken);

    private async Task<string> FailsAsync(HubOptions options, HubReference? model = null)
    {
        var message = (await Assert.ThrowsAsync<HubException>(() => GetAsync(model, options))).Message;
        Assert.DoesNotContain('\n', message);
        Assert.False(Path.Exists(Path.Combine(Cache, "evil")) || Path.Exists(_folder.File("evil")));
        return message;
    }

    private sealed class Collect(List<HubProgress> steps) : IProgress<HubProgress>
    {
        public void Report(HubProgress value) => steps.Add(value);
    }
}
