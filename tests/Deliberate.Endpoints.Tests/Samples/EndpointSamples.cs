using System.Collections.Concurrent;
using Deliberate.Conversations;
using Deliberate.Endpoints.Flow;
using Deliberate.Endpoints.Models;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Tests.Samples;

/// <summary>The code of docs/endpoints.md, compiled and run.</summary>
internal static class EndpointSamples
{
    public static async Task<string> AskAsync(string yaml, HttpClient http)
    {
        var models = ModelFile.Parse(yaml).Models;

        // ask
        using var client = models["base"].CreateClient(http: http);
        var response = await client.GetResponseAsync("How do locks work?", new() { MaxOutputTokens = 500, Seed = 1 });
        var completion = CompletionReader.Read(response);
        var text = $"thought: {completion.Thinking}\nanswer: {completion.Answer}\ncut: {completion.Truncated}";
        // end

        return text;
    }

    public static async Task<string> BatchAsync(string yaml, HttpClient http, IReadOnlyList<string> questions, CancellationToken stop)
    {
        var models = ModelFile.Parse(yaml).Models;
        var kept = new ConcurrentDictionary<string, Completion>();

        // batch
        using var client = models["base"].CreateClient(http: http);
        var flow = client.GetService<FlowController>()!;
        var calls = questions.Select((question, i) => new ChatCall($"q{i}", [new(ChatRole.User, question)], new() { MaxOutputTokens = 500, Seed = i })).ToList();
        var estimate = flow.Estimate(calls, "Qwen/Qwen3-8B", typicalOutputTokens: 120);
        flow.Expect(calls.Count);
        var result = await ChatBatch.RunAsync(client, calls, (call, response) =>
        {
            kept[call.Id] = CompletionReader.Read(response);
            return ValueTask.CompletedTask;
        }, stop: stop);
        var report = $"{estimate}\n{result.End}: {flow.Snapshot()}";
        foreach (var failure in result.Failures) report += $"\n{failure.Id} ({failure.Reason.Describe()}): {failure.Message}";
        // end

        return report;
    }
}
