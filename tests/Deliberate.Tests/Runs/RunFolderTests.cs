using Deliberate.Runs;
using Xunit;

namespace Deliberate.Tests.Runs;

public class RunFolderTests
{
    private static readonly RunManifest Manifest = new("hash", "miniature", 1, new Dictionary<string, string> { ["version"] = "1" });

    [Fact]
    public void The_same_run_goes_on_in_its_folder()
    {
        using var folder = new TemporaryFolder();
        using (var run = RunFolder.Open(folder["run"], Manifest)) run.Store.Save("eval", "k", "done");
        using var again = RunFolder.Open(folder["run"], Manifest with { Settings = new Dictionary<string, string> { ["version"] = "1" } });
        Assert.True(again.Store.TryLoad<string>("eval", "k", out var result));
        Assert.Equal("done", result);
        Assert.Equal(folder["run/report.html"], again.PathOf("report.html"));
    }

    [Fact]
    public void Another_run_is_refused_with_the_difference()
    {
        using var folder = new TemporaryFolder();
        RunFolder.Open(folder["run"], Manifest).Dispose();
        string Problem(RunManifest other) => Assert.Throws<InvalidDataException>(() => RunFolder.Open(folder["run"], other)).Message;
        Assert.Contains("its seed is 1, not 2", Problem(Manifest with { Seed = 2 }), StringComparison.Ordinal);
        Assert.Contains("its policy is hash, not other", Problem(Manifest with { PolicyHash = "other" }), StringComparison.Ordinal);
        Assert.Contains("its version is 1, not absent", Problem(Manifest with { Settings = null }), StringComparison.Ordinal);
        RunFolder.Open(folder["run"], Manifest).Dispose();
    }

    [Fact]
    public void One_holder_at_a_time()
    {
        using var folder = new TemporaryFolder();
        using (RunFolder.Open(folder["run"], Manifest))
            Assert.Contains("in use", Assert.Throws<IOException>(() => RunFolder.Open(folder["run"], Manifest)).Message, StringComparison.Ordinal);
        RunFolder.Open(folder["run"], Manifest).Dispose();
    }

    [Fact]
    public void A_broken_manifest_is_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["manifest.json"], "{\"seed\":");
        Assert.Contains("manifest.json", Assert.Throws<InvalidDataException>(() => RunFolder.Open(folder.Path, Manifest)).Message, StringComparison.Ordinal);
    }
}
