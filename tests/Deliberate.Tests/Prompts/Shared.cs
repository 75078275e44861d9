using System.Text;
using Deliberate.Conversations;
using Deliberate.Prompts;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Prompts;

/// <summary>Files and prompts for tests, and real data where it lies beside the project.</summary>
internal static class Shared
{
    public static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The path of a real data file; skips the test where there is none.</summary>
    public static string Data(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "shared", "data", name) is var path && Path.Exists(path)) return path;
        Assert.Skip($"shared/data/{name} is in no folder above {AppContext.BaseDirectory}: the real data does not come with the project.");
        return "";
    }

    public static string Write(this TemporaryFolder folder, string name, string text)
    {
        File.WriteAllText(folder[name], text, new UTF8Encoding(false));
        return folder[name];
    }

    public static async Task<List<SourcePrompt>> ReadAsync(string path, PromptFileOptions? options = null)
    {
        var prompts = new List<SourcePrompt>();
        await foreach (var prompt in PromptFile.ReadAsync(path, options, Token)) prompts.Add(prompt);
        return prompts;
    }

    /// <summary>The prompts of a text in a file of this name.</summary>
    public static async Task<List<SourcePrompt>> ReadAsync(string name, string text, PromptFields? fields = null)
    {
        using var folder = new TemporaryFolder();
        return await ReadAsync(folder.Write(name, text), new(fields));
    }

    /// <summary>The message that a text fails with, without the folder.</summary>
    public static async Task<string> FailsAsync(string name, string text, PromptFields? fields = null)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write(name, text);
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(path, new(fields)));
        Assert.StartsWith(path, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        return failure.Message[(folder.Path.Length + 1)..];
    }

    public static SourcePrompt Source(string text, string? id = null, string file = "a.jsonl", int row = 1, params string[] categories) =>
        new(Prompt(text, id), categories, null, file, row, $"{file}:{row}");

    public static Prompt Prompt(string text, string? id = null) => new(id ?? text, Conversation.FromUser(text));
}
