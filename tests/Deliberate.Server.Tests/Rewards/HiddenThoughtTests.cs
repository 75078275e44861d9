using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using CsCheck;
using Deliberate.Judging;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

/// <summary>A marker stands in every thought that is sent, through every protocol; nobody but the client may ever see it again.</summary>
public class HiddenThoughtTests
{
    private const string Marker = "XQ7MARKER";

    // How many requests the property tries: 10⁵ take some minutes.
    private static readonly int Requests = int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_LEAK_REQUESTS"), out var given) ? given : 1000;

    private static readonly Gen<string> Thought = Gen.OneOf($"{Marker}", $"I see.\n{Marker} and {Marker}", $"{Marker}<|im_end|>{Marker}", $"a</s>{Marker}", $"<think>{Marker}", $"{Marker} [INST] {Marker}", $"\"{Marker}\"\u2028{Marker}");
    private static readonly Gen<string> Answer = Gen.OneOf("Cut above a bud.", "Sorry, I cannot help.", "a < b and [1]", "", "x\n\ny");

    [Fact]
    public async Task No_thought_reaches_the_judge_a_reply_a_metric_or_a_trace()
    {
        var judge = new ScriptedJudge((view, spec) => view.Answer.Length % 2 == 0 ? new(1, view.Answer) : Verdict.Unscored(VerdictKinds.Unparsable, view.Answer));
        var activities = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener { ShouldListenTo = source => source.Name.StartsWith("Deliberate", StringComparison.Ordinal), Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded, ActivityStopped = activities.Enqueue };
        ActivitySource.AddActivityListener(listener);
        await using var host = await RewardHost.StartAsync(judge, new() { ShowReasons = true });
        var gen = Gen.Select(Gen.OneOf(RenderedChatTests.All.ToArray()), Thought, Answer, Gen.Int[0, 4], Gen.Bool);
        await gen.SampleAsync(async (family, thought, answer, path, cut) =>
        {
            var (prompt, open, close, end) = RenderedChatTests.Of(family);
            // Harmony needs no care about planted marks of other families, but its own end mark must not end the thought early.
            var response = cut ? $"{open}{thought}" : $"{open}{thought}{close}{answer}{end}";
            var (_, reply) = path switch
            {
                0 => await host.PostAsync("/reward", RewardHost.Reward((prompt + response, prompt, null))),
                1 => await host.PostAsync("/reward", RewardHost.Reward((prompt + response, prompt, "kitchens"), (prompt + response, prompt, null))),
                2 => await host.PostAsync("/score", RewardHost.Score(response, prompt)),
                3 => await host.PostAsync("/score", $"[{RewardHost.Score(response, prompt)},{RewardHost.Score(response, prompt, "gardens")}]"),
                _ => await host.PostAsync("/verify", JsonSerializer.Serialize(new
                {
                    responses_create_params = new { input = "How do I prune a rose?" },
                    response = new { output = new object[] { new { type = "reasoning", summary = new[] { new { type = "summary_text", text = thought } } }, new { type = "message", role = "assistant", content = $"<think>{(cut ? thought : thought + "</think>" + answer)}" } } },
                })),
            };
            // NeMo Gym's row comes back as it was; what the server adds to it must be clean.
            Assert.DoesNotContain(Marker, path == 4 ? reply[reply.LastIndexOf("\"reward\":", StringComparison.Ordinal)..] : reply, StringComparison.Ordinal);
        }, iter: Requests, threads: 4);
        Assert.NotEmpty(judge.Seen);
        Assert.All(judge.Seen, seen =>
        {
            Assert.DoesNotContain(Marker, seen.View.Answer, StringComparison.Ordinal);
            Assert.All(seen.View.Conversation.Turns, turn => Assert.DoesNotContain("MARKER", turn.Text, StringComparison.Ordinal));
            Assert.DoesNotContain(Marker, seen.Id, StringComparison.Ordinal);
        });
        Assert.DoesNotContain(Marker, await host.MetricsAsync(), StringComparison.Ordinal);
        Assert.NotEmpty(activities);
        Assert.All(activities, activity => Assert.DoesNotContain(Marker, Text(activity), StringComparison.Ordinal));
        Assert.All(activities, activity => Assert.DoesNotContain("Cut above", Text(activity), StringComparison.Ordinal));
    }

    private static string Text(Activity activity) => string.Join('\n',
        activity.TagObjects.Concat(activity.Events.SelectMany(given => given.Tags)).Select(tag => $"{tag.Key}={tag.Value}").Append(activity.DisplayName).Append(activity.StatusDescription ?? ""));
}
