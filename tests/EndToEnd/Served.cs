using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Conversations;
using Deliberate.Faults;
using Deliberate.Pipeline;
using Microsoft.Extensions.AI;

namespace Deliberate.EndToEnd.Tests;

/// <summary>Servers on the loopback that stand for a user's endpoints.</summary>
internal static class Served
{
    /// <summary>Options of a server behind which the shipped miniature answers.</summary>
    public static FaultServerOptions Miniature(LocalArm model) => new()
    {
        AnswerAsync = async (request, gone) =>
        {
            var messages = request.Body["messages"]!.AsArray().Select(message => new ChatMessage(new ChatRole((string)message!["role"]!), (string)message["content"]!)).ToArray();
            var response = await model.Client.GetResponseAsync(messages, new()
            {
                Temperature = (float?)request.Body["temperature"],
                MaxOutputTokens = (int?)request.Body["max_tokens"],
                Seed = (long?)request.Body["seed"],
            }, gone);
            var completion = CompletionReader.Read(response);
            return new(completion.Thinking, completion.Answer, completion.Truncated ? "length" : "stop");
        },
    };

    /// <summary>Options of a server that answers prompts with a thought that cites, and judges with a score that depends on what is judged alone.</summary>
    public static FaultServerOptions Scripted() => new()
    {
        Answer = request => request.Asked.Contains("Rate the final answer", StringComparison.Ordinal)
            ? new("I compare the answer with the policies.", JsonSerializer.Serialize(new { reason = "as the policies ask", fault = "none", score = 5 + (Convert.ToInt32(request.Key[..2], 16) % 6) }))
            : new($"The policy says [T1] so, and this is the question of {request.Key[..6]}.", $"Here is what you want to know, number {request.Key[..6]}."),
        RetryAfter = "0",
    };

    /// <summary>A file of so many prompts with a category of the example policy.</summary>
    public static string Prompts(string path, int count)
    {
        // Words that make no two prompts alike.
        string[] things = ["a lantern", "the river", "my garden", "an old clock", "blue paint", "some bread", "the moon", "a violin", "warm wool", "cold iron", "a map", "the harbour"];
        string[] deeds = ["repair", "draw", "describe", "compare", "carry", "store", "measure", "explain", "imagine", "weigh"];
        File.WriteAllLines(path, Enumerable.Range(0, count).Select(number => new JsonObject
        {
            ["id"] = string.Create(CultureInfo.InvariantCulture, $"q{number}"),
            ["prompt"] = $"Question {number * 7919}: how would {things[number % 12]} and {things[number / 12 % 12]} help me to {deeds[number % 10]} item {number * 104729}?",
            ["category"] = number % 3 == 0 ? "none" : "theft",
        }.ToJsonString()));
        return path;
    }
}
