using Deliberate.Policies;
using Deliberate.Runs.Store;
using Deliberate.Tests.Conversations;
using Microsoft.Extensions.AI;

namespace Deliberate.Tests.Runs.Store;

/// <summary>What the tests of the store share.</summary>
internal static class StoreSamples
{
    public static ChatMessage[] Ask(string text) => [new(ChatRole.User, text)];

    /// <summary>A model that counts its calls by what it says.</summary>
    public static FakeClient Numbered(string name = "m")
    {
        var calls = 0;
        return new((messages, options) => $"<think>about {messages[^1].Text.Length}</think>{name}{Interlocked.Increment(ref calls)} to seed {options?.Seed}");
    }

    public static StoreContext Context(string run = "run", string stage = "generate", string? model = "m1", bool retryFailed = true) =>
        new(run, stage, model, response => response.Usage?.OutputTokenCount * 0.001m, retryFailed);

    /// <summary>Asks with details, as the stages do.</summary>
    public static async Task<ChatResponse> AskAsync(this IChatClient client, string text, string prompt = "p", int sample = 0, Spec? spec = null, string? template = null, ChatOptions? options = null)
    {
        using var call = new CallDetails(prompt, sample, spec, template).Enter();
        return await client.GetResponseAsync(spec is null ? Ask(text) : Ask($"By these rules:\n{spec.Text}\nanswer: {text}"), options, Xunit.TestContext.Current.CancellationToken);
    }

    public static ReceivedResponse Received(string request, ChatResponse response, string run = "run", string stage = "generate", string prompt = "p", decimal? cost = null, Spec? spec = null)
    {
        var canonical = CanonicalRequest.Of(Ask(request));
        var details = new CallDetails(prompt, 0, spec);
        return new(canonical.Key("m1"), canonical, "m1", details, new(run, stage, prompt, spec?.PolicyHash, spec?.Category), response, cost);
    }
}
