using System.Text.Json;
using CsCheck;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Runs.Store;

public class CanonicalRequestTests
{
    private static readonly Gen<string> Text = Gen.OneOf(Gen.OneOf("", "a", "Théâtre", "\"quoted\" \\", "line\nbreak", "<b>&'+", "😀", "\u2028"), Gen.String[0, 8]);

    private static readonly Gen<object?> Leaf = Gen.OneOf<object?>(
        Text.Select(text => (object?)text), Gen.Int.Select(number => (object?)number), Gen.Double[-1e6, 1e6].Select(number => (object?)number), Gen.Bool.Select(value => (object?)value), Gen.Const((object?)null));

    private static readonly Gen<object?> Value = Gen.OneOf(Leaf, Leaf.Array[0, 3].Select(items => (object?)items), Gen.Dictionary(Text, Leaf)[0, 3].Select(items => (object?)items));

    private static readonly Gen<(string Role, string Text)[]> Messages = Gen.Select(Gen.OneOf("system", "user", "assistant", "tool"), Text).Array[1, 4];

    // Additional properties do not tell "A" from "a".
    private static readonly Gen<Dictionary<string, object?>> Extras = Gen.Dictionary(Text, Value)[0, 4].Select(extras => extras.DistinctBy(extra => extra.Key, StringComparer.OrdinalIgnoreCase).ToDictionary());

    private static readonly JsonSerializerOptions Wide = new() { WriteIndented = true, IndentSize = 3 };

    private static ChatMessage[] Written((string Role, string Text)[] messages) => [.. messages.Select(message => new ChatMessage(new ChatRole(message.Role), message.Text))];

    private static ChatOptions Options(float? temperature, int? most, long? seed, IEnumerable<KeyValuePair<string, object?>> extras) =>
        new() { Temperature = temperature, MaxOutputTokens = most, Seed = seed, AdditionalProperties = new(extras) };

    private static string Spaced(object? value)
    {
        using var document = JsonDocument.Parse(JsonSerializer.Serialize(value));
        return JsonSerializer.Serialize(document, Wide);
    }

    [Fact]
    public void A_request_reads_as_it_always_did_for_keys_must_outlive_releases()
    {
        var options = new ChatOptions
        {
            Temperature = 0.7f,
            MaxOutputTokens = 100,
            TopP = 1,
            Seed = 3,
            StopSequences = [],
            Reasoning = new() { Effort = ReasoningEffort.High },
            AdditionalProperties = new() { ["min_p"] = 0.10, ["chat_template_kwargs"] = new Dictionary<string, object?> { ["z"] = 1.0, ["a"] = null, ["enable_thinking"] = true } },
        };
        var request = CanonicalRequest.Of([new(ChatRole.System, "Be <brief>."), new(ChatRole.User, "Why?")], options);
        Assert.Equal(
            """{"messages":[{"contents":["Be <brief>."],"role":"system"},{"contents":["Why?"],"role":"user"}],"options":{"additionalProperties":{"chat_template_kwargs":{"enable_thinking":true,"z":1},"min_p":0.1},"maxOutputTokens":100,"reasoning":{"effort":"High"},"temperature":0.7,"topP":1}}""",
            request.Json);
        Assert.Equal(3, request.Seed);
        Assert.Equal("a27b51b873aadf7dec7c458af85e1ffa913c8ae81731fcba12e6de39ea563930", request.Key("m", "t", 1).Text);
    }

    [Fact]
    public void The_order_and_spacing_of_properties_change_nothing()
    {
        Gen.Select(Messages, Extras, Gen.Int).Sample((messages, extras, shuffle) =>
        {
            var random = new Random(shuffle);
            var shuffled = extras.OrderBy(_ => random.Next()).Select(extra =>
                KeyValuePair.Create(extra.Key, (object?)JsonSerializer.Deserialize<JsonElement>(Spaced(extra.Value is Dictionary<string, object?> inner ? inner.OrderBy(_ => random.Next()).ToDictionary() : extra.Value))));
            var first = CanonicalRequest.Of(Written(messages), Options(0.5f, 9, 1, extras));
            var second = CanonicalRequest.Of(Written(messages), Options(0.5f, 9, 1, shuffled));
            Assert.Equal(first.Json, second.Json);
            Assert.Equal(first.Key("m"), second.Key("m"));
            using var valid = JsonDocument.Parse(first.Json);
        }, iter: 300);
    }

    [Fact]
    public void Other_messages_sampling_or_names_give_another_key()
    {
        var call = Gen.Select(Messages, Gen.OneOf<float?>(null, 0f, 0.5f, 1f), Gen.OneOf<int?>(null, 1, 10), Gen.OneOf<long?>(null, 0, 1), Gen.Int[0, 2], Gen.OneOf("m1", "m2"), Gen.OneOf<string?>(null, "", "t1"));
        Gen.Select(call, call).Sample((a, b) =>
        {
            static (string Facts, ResponseKey Key) Key(((string, string)[] Messages, float? Temperature, int? Most, long? Seed, int Sample, string Model, string? Template) of) => (
                JsonSerializer.Serialize(new object?[] { of.Messages.Select(message => new[] { message.Item1, message.Item2 }), of.Temperature, of.Most, of.Seed, of.Sample, of.Model, of.Template }),
                CanonicalRequest.Of(Written(of.Messages), Options(of.Temperature, of.Most, of.Seed, [])).Key(of.Model, of.Template, of.Sample));
            var (first, second) = (Key(a), Key(b));
            Assert.Equal(first.Facts == second.Facts, first.Key == second.Key);
        }, iter: 2000);
    }

    [Fact]
    public void Every_single_option_counts()
    {
        var request = Written([("user", "x")]);
        ChatOptions?[] all =
        [
            null, new() { Temperature = 1 }, new() { TopP = 1 }, new() { TopK = 1 }, new() { FrequencyPenalty = 1 }, new() { PresencePenalty = 1 }, new() { MaxOutputTokens = 1 }, new() { Seed = 1 },
            new() { ModelId = "other" }, new() { Instructions = "i" }, new() { StopSequences = ["s"] }, new() { ResponseFormat = ChatResponseFormat.Json }, new() { ResponseFormat = ChatResponseFormat.Text },
            new() { Reasoning = new() { Effort = ReasoningEffort.Low } }, new() { Reasoning = new() { Effort = ReasoningEffort.High } }, new() { AdditionalProperties = new() { ["k"] = 1 } },
            new() { Tools = [AIFunctionFactory.CreateDeclaration("f", "d", JsonDocument.Parse("{}").RootElement)] },
        ];
        Assert.Equal(all.Length, all.Select(options => CanonicalRequest.Of(request, options).Key("m")).Distinct().Count());
        Assert.Equal(CanonicalRequest.Of(request).Key("m"), CanonicalRequest.Of(request, new() { AdditionalProperties = [], StopSequences = [] }).Key("m"));
        Assert.NotEqual(CanonicalRequest.Of(request).Key("m"), CanonicalRequest.Of([new(ChatRole.User, [new TextReasoningContent("x")])]).Key("m"));
    }

    [Fact]
    public void A_request_that_cannot_be_told_from_others_is_refused() =>
        Assert.Contains("RawRepresentationFactory", Assert.Throws<ArgumentException>(() => CanonicalRequest.Of(Written([("user", "x")]), new() { RawRepresentationFactory = _ => new() })).Message, StringComparison.Ordinal);
}
