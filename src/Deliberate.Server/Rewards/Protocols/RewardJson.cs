using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deliberate.Server.Rewards.Protocols;

// Properties that can be set, since what can be set only at the beginning is read more slowly.

/// <summary>What OpenRLHF sends (<c>openrlhf/utils/agent.py</c>).</summary>
internal sealed record OpenRlhfRequest
{
    /// <summary>Prompts with responses, special tokens kept.</summary>
    [JsonPropertyName("query")]
    public RentedText[]? Query { get; set; }

    /// <summary>The rendered prompts.</summary>
    [JsonPropertyName("prompts")]
    public string?[]? Prompts { get; set; }

    /// <summary>What the data has in its label column.</summary>
    [JsonPropertyName("labels")]
    public JsonElement[]? Labels { get; set; }
}

/// <summary>What a reward function of verl gets (<c>custom_reward_function</c>).</summary>
internal sealed record ScoreRequest
{
    /// <summary>The data set's name.</summary>
    [JsonPropertyName("data_source")]
    public JsonElement DataSource { get; set; }

    /// <summary>The completion, thought included.</summary>
    [JsonPropertyName("solution_str")]
    public string? SolutionStr { get; set; }

    /// <summary>Not used.</summary>
    [JsonPropertyName("ground_truth")]
    public JsonElement GroundTruth { get; set; }

    /// <summary>Holds the prompt and the category.</summary>
    [JsonPropertyName("extra_info")]
    public JsonElement ExtraInfo { get; set; }
}

/// <summary>The JSON of the requests, generated at build time.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.General)]
[JsonSerializable(typeof(OpenRlhfRequest))]
[JsonSerializable(typeof(ScoreRequest))]
[JsonSerializable(typeof(ScoreRequest[]))]
internal sealed partial class RewardJson : JsonSerializerContext;
