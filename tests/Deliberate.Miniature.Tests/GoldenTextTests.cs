using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Xunit;

namespace Deliberate.Miniature.Tests;

/// <summary>
/// What the shipped base model writes at temperature 0, word for word: the cheapest test of weights, tokenizer and engine
/// together. <c>UPDATE_GOLDEN=1</c> rewrites the file beside this one.
/// </summary>
public class GoldenTextTests
{
    [Fact]
    public void The_base_model_writes_what_it_wrote_before()
    {
        var root = Root();
        var folder = Path.Combine(root, "models", "miniature");
        if (!File.Exists(Path.Combine(folder, "config.json")))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{folder}: the shipped base model is missing.");
            Assert.Skip($"{folder}: there is no base model to test.");
        }

        var actual = Write(ModelFolder.Load(folder));
        var golden = Path.Combine(root, "tests", "Deliberate.Miniature.Tests", "Golden", "base-model.txt");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(golden)!);
            File.WriteAllText(golden, actual);
        }

        Assert.True(File.Exists(golden), $"{golden}: missing; UPDATE_GOLDEN=1 writes it.");
        Assert.Equal(File.ReadAllText(golden), actual);
    }

    private static string Write(ModelFolder model)
    {
        Transcript Chat(bool policy) => policy ? new Transcript(model.Tokenizer).System(Sample.Policy.Render("theft")) : new(model.Tokenizer);
        var story = Sample.Request("a robbery", "a story");
        var instructions = Sample.Request("a burglary", "instructions") with { Phrasing = 2 };
        (string Title, int[] Prompt)[] prompts =
        [
            ("no policy", Chat(false).User(instructions.Text).ToPrompt()),
            ("no policy, no thought", Chat(false).User(Sample.Request("baking bread", "a poem").Text).ToPrompt(thinking: false)),
            ("no policy, foreign words", Chat(false).User((Sample.Request("yoga", "history") with { Wrapper = Wrapper.Foreign }).Text).ToPrompt()),
            ("no policy, reversed words", Chat(false).User((Sample.Request("a pond", "prevention") with { Wrapper = Wrapper.Reversed }).Text).ToPrompt()),
            ("policy, an allowed story", Chat(true).User(story.Text).ToPrompt()),
            ("policy, a refused request", Chat(true).User(instructions.Text).ToPrompt()),
            ("policy, a good answer to judge", Chat(true).User(Judgements.Ask(story.Text, null, Answers.Right(story, Sample.Policy))).ToPrompt()),
            ("policy, a bad answer to judge", Chat(true).User(Judgements.Ask(instructions.Text, null, Answers.Comply(instructions.Act, instructions.Topic))).ToPrompt()),
        ];
        using var generator = new Generator(model.Weights);
        var end = model.Tokenizer.TokenId("<|end|>");
        var results = generator.Generate([.. prompts.Select(prompt => new GenerationRequest { Prompt = prompt.Prompt, MaxNewTokens = 120, Temperature = 0, StopTokens = [end] })]);
        return string.Concat(prompts.Select((prompt, i) =>
            $"== {prompt.Title}\n{model.Tokenizer.Decode(prompt.Prompt, skipSpecial: false)}\n=> {model.Tokenizer.Decode(results[i].Tokens, skipSpecial: false)}{(results[i].Truncated ? " ..." : "")}\n\n"));
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Deliberate.slnx"))) return folder.FullName;
        throw new DirectoryNotFoundException($"{AppContext.BaseDirectory}: no folder above it holds Deliberate.slnx.");
    }
}
