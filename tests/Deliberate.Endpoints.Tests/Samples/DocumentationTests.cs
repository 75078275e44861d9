using System.Reflection;
using System.Text.RegularExpressions;
using Deliberate.Endpoints.Models;
using Deliberate.Faults;
using Xunit;

namespace Deliberate.Endpoints.Tests.Samples;

/// <summary>docs/endpoints.md shows code that compiles, a file that is read, and output that the code gave.</summary>
public partial class DocumentationTests
{
    private static readonly string Page = Text("Documentation");

    private static string Text(string name) =>
        File.ReadAllText(typeof(DocumentationTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == name).Value!).ReplaceLineEndings("\n");

    private static string Block(string language, int number = 0) => Fence().Matches(Page).Where(block => block.Groups[1].Value == language).Select(block => block.Groups[2].Value).ElementAt(number);

    private static string Region(string name)
    {
        var lines = Text("Samples").Split('\n').SkipWhile(line => line.Trim() != $"// {name}").Skip(1).TakeWhile(line => line.Trim() != "// end");
        return string.Concat(lines.Select(line => (line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line) + "\n"));
    }

    // The page's models are asked at the test's server.
    private sealed class Redirect(Uri address) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = new(address, request.RequestUri!.AbsolutePath);
            return base.SendAsync(request, cancellationToken);
        }
    }

    [Theory]
    [InlineData("ask", 0)]
    [InlineData("batch", 1)]
    public void The_code_on_the_page_is_the_code_that_is_compiled(string region, int number) => Assert.Equal(Region(region), Block("csharp", number));

    [Fact]
    public void The_file_on_the_page_is_read() => Assert.Equal(["base", "grader", "judge"], ModelFile.Parse(Block("yaml")).Models.Keys.Order());

    [Fact]
    public async Task The_output_on_the_page_is_what_the_code_gives()
    {
        await using var server = await FaultServer.StartAsync(new() { Answer = _ => new("[T1] allows this.", "With pins and a spring.") });
        using var http = new HttpClient(new Redirect(server.Address));
        Assert.Equal(Block("text"), await EndpointSamples.AskAsync(Block("yaml"), http) + "\n");

        await using var other = await FaultServer.StartAsync(new() { Plan = request => request.Attempt == 1 && request.Asked.Contains("keys", StringComparison.Ordinal) ? Fault.TooManyRequests : Fault.None });
        using var faulty = new HttpClient(new Redirect(other.Address));
        string[] questions = ["How do locks work?", "Who made the first keys?", "Write a poem about a door."];
        var report = await EndpointSamples.BatchAsync(Block("yaml"), faulty, questions, TestContext.Current.CancellationToken);
        Assert.Equal(Block("text", 1), Rate().Replace(report, "180 a minute") + "\n");
    }

    [GeneratedRegex("(?ms)^```([a-z]+)\n(.*?)^```")]
    private static partial Regex Fence();

    // How fast it went is another thing each time.
    [GeneratedRegex(@"\d+ a minute")]
    private static partial Regex Rate();
}
