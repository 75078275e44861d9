using System.Diagnostics;
using Deliberate.Judging;
using Deliberate.Server.Rewards;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

/// <summary>The Python files as trainers call them, against a server on the loopback.</summary>
public sealed class ShimTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("deliberate-shims-").FullName;

    public ShimTests()
    {
        foreach (var name in RewardShims.Names) File.WriteAllText(Path.Combine(_folder, name), RewardShims.Read(name));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_shim_is_printed_whole_in_the_documentation()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Deliberate.slnx"))) root = Path.GetDirectoryName(root)!;
        var page = File.ReadAllText(Path.Combine(root, "docs", "rewards.md")).ReplaceLineEndings("\n");
        foreach (var name in RewardShims.Names) Assert.Contains(RewardShims.Read(name).ReplaceLineEndings("\n").TrimEnd(), page, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => RewardShims.Read("other.py"));
    }

    [Fact]
    public async Task Verl_gets_a_score() => Assert.Equal("{'score': 0.5}", await PythonAsync("""
        import asyncio, verl_reward
        print(asyncio.run(verl_reward.compute_score(data_source="d", solution_str="<think>x</think>fine", ground_truth="", extra_info={"prompt": [{"role": "user", "content": "How?"}], "category": "gardens"})))
        """));

    [Fact]
    public async Task Verl_stops_with_an_error_where_there_is_no_score() => Assert.Contains("RuntimeError no score", await PythonAsync("""
        import asyncio, verl_reward
        try: print(asyncio.run(verl_reward.compute_score("d", "bad", "", {"prompt": "How?"})))
        except RuntimeError as error: print("RuntimeError", error)
        """), StringComparison.Ordinal);

    [Fact]
    public async Task Trl_gets_rewards_in_order_with_None_for_the_unscored() => Assert.Equal("[0.5, None, 0.0] [0.5]", await PythonAsync("""
        import asyncio, pickle, trl_reward
        chat = [{"role": "user", "content": "How?"}]
        say = lambda text: [{"role": "assistant", "content": text}]
        call = pickle.loads(pickle.dumps(trl_reward.policy_reward))
        first = call(prompts=[chat] * 3, completions=[say("fine"), say("bad"), say("<think>cut")], category=["gardens", None, ""], completion_ids=[], trainer_state=None)
        print(first, asyncio.run(trl_reward.policy_reward_async(["How?"], ["fine"])))
        """));

    [Fact]
    public async Task Trl_gets_None_from_a_server_that_is_not_there() => Assert.Equal("[None, None]", await PythonAsync("""
        import trl_reward
        trl_reward.URL = "http://127.0.0.1:1/score"
        print(trl_reward.policy_reward(["How?"] * 2, ["fine"] * 2))
        """));

    [Fact]
    public async Task Trl_stops_where_trying_again_would_not_help() => Assert.Contains("RuntimeError", await PythonAsync("""
        import trl_reward
        try: print(trl_reward.policy_reward(["How?"], ["fine"], category=["kitchens"]))
        except RuntimeError as error: print("RuntimeError", error)
        """), StringComparison.Ordinal);

    [Fact]
    public async Task OpenRlhf_gets_what_its_own_client_gets() => Assert.Equal("[0.5] [0.5] RuntimeError", await PythonAsync("""
        import openrlhf_reward
        reply = openrlhf_reward.reward_func(["How?<think>x</think>fine</s>"], ["How?"], [None])
        print(reply["rewards"], reply["scores"], end=" ")
        try: print(openrlhf_reward.reward_func(["How?bad"], ["How?"], [None]))
        except RuntimeError: print("RuntimeError")
        """));

    private async Task<string> PythonAsync(string code)
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge((view, _) => view.Answer == "fine" ? new(0.5, "") : Verdict.Unscored(VerdictKinds.Unparsable, "")));
        var start = new ProcessStartInfo("python3", ["-c", code]) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["DELIBERATE_URL"], start.Environment["DELIBERATE_KEY"], start.Environment["DELIBERATE_TRIES"]) = (host.Address.ToString().TrimEnd('/'), RewardHost.Key, "1");
        start.Environment["no_proxy"] = "*";
        Process? python = null;
        try
        {
            python = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("There is no python3 on the path.");
        }

        using (python)
        {
            var errors = python!.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var output = await python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await python.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(python.ExitCode == 0, await errors);
            return output.Trim();
        }
    }
}
