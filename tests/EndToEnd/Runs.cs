using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(Deliberate.EndToEnd.Tests.Runs))]
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace Deliberate.EndToEnd.Tests;

/// <summary>Runs that several tests look at: each is made once, when the first test asks for it.</summary>
public sealed class Runs : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("deliberate-end-to-end-").FullName;
    private readonly Lazy<Task<string>> _small, _whole;

    public Runs()
    {
        _small = new(() => RunAsync("small", "--budget", "small", "--seed", "7"));
        _whole = new(() => RunAsync("whole"));
    }

    /// <summary>A new path in the folder that goes with the tests.</summary>
    public string this[string name] => Path.Combine(_folder, name);

    /// <summary>The folder of a small run with seed 7.</summary>
    public Task<string> SmallAsync() => Of(_small);

    /// <summary>The folder of a run with the default budget and seed: minutes.</summary>
    public Task<string> WholeAsync() => Of(_whole);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Task<string> Of(Lazy<Task<string>> run)
    {
        Shipped.NeedModel();
        return run.Value;
    }

    private async Task<string> RunAsync(string name, params string[] options)
    {
        var result = await CliProcess.RunAsync(["run", "--out", this[name], .. options]);
        Assert.True(result.Code == 0, result.Err);
        Assert.Contains(Path.Combine(this[name], "report.html"), result.Out, StringComparison.Ordinal);
        return this[name];
    }
}
