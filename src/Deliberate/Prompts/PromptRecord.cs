using System.Text.Json.Nodes;
using Deliberate.Conversations;

namespace Deliberate.Prompts;

/// <summary>Writes prompts as the rows that <see cref="PromptFile"/> reads: <c>id</c>, <c>prompt</c> or <c>messages</c>, <c>category</c> and more.</summary>
public static class PromptRecord
{
    /// <summary>The field with the key that decides on which side of a split a prompt comes (<see cref="HashSplit"/>), where another prompt decides.</summary>
    public const string SplitKey = "split_key";

    /// <summary>A prompt that a model has labelled: <c>category</c> lists its categories, or "none"; where there is no label, <c>problem</c> says why.</summary>
    public static JsonObject Of(SourcePrompt source, CategoryLabels labels)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(labels);
        var row = Words(source.Prompt);
        if (labels.IsLabelled) row["category"] = new JsonArray([.. labels.Categories.DefaultIfEmpty("none").Select(category => (JsonNode)category)]);
        else row["problem"] = labels.Problem;
        if (source.Categories.Count > 0) row["given_category"] = new JsonArray([.. source.Categories.Select(category => (JsonNode)category)]);
        if (source.Label is { } label) row["label"] = label;
        if (source.SplitKey is { } key) row[SplitKey] = key;
        row["labelled_by"] = labels.Model;
        return row;
    }

    /// <summary>A contrast prompt, on its source's side of every split.</summary>
    /// <exception cref="ArgumentException">It has no prompt, or <paramref name="source"/> is another one's.</exception>
    public static JsonObject Of(ContrastPrompt contrast, Prompt source)
    {
        ArgumentNullException.ThrowIfNull(contrast);
        ArgumentNullException.ThrowIfNull(source);
        if (contrast.Prompt is null || contrast.Source != source.Id) throw new ArgumentException($"The contrast prompt {contrast.Id} has no prompt, or is not of {source.Id}.", nameof(contrast));
        var row = Words(contrast.Prompt);
        row["contrast"] = ContrastPrompt.Name(contrast.Kind);
        row["from"] = contrast.Source;
        row[SplitKey] = PromptText.Hash(source.Conversation);
        row["written_by"] = contrast.Model;
        return row;
    }

    private static JsonObject Words(Prompt prompt)
    {
        var row = new JsonObject { ["id"] = prompt.Id };
        if (prompt.Conversation.Turns is [{ Role: Role.User } only]) row["prompt"] = only.Text;
        else row["messages"] = new JsonArray([.. prompt.Conversation.Turns.Select(turn => (JsonNode)new JsonObject { ["role"] = turn.Role.ToString().ToLowerInvariant(), ["content"] = turn.Text })]);
        return row;
    }
}
