using System.Text.Json;
using System.Text.Json.Serialization;
using Deliberate.Runs;
using Parquet.Serialization;
using static Deliberate.Distillation.Exports.Rows;

namespace Deliberate.Distillation.Exports;

/// <summary>
/// verl's Parquet for reinforcement learning: <c>data_source</c>, <c>prompt</c>, <c>ability</c>, <c>reward_model</c> (style "model") and <c>extra_info</c>, which its reward functions get. One row a
/// prompt; what a reward must know stands in <c>extra_info</c>.
/// </summary>
public sealed class Verl : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "verl";

    /// <inheritdoc/>
    public override string Purpose => "verl: prompts for reinforcement learning, as Parquet";

    private protected override async Task<ExportResult> WriteCheckedAsync(string path, IReadOnlyList<TrainingExample> examples, ExportOptions options, CancellationToken cancellationToken)
    {
        VerlRow[] rows = [.. ByPrompt(examples).Select((example, index) => new VerlRow
        {
            DataSource = options.Name,
            Prompt = Messages(example),
            Ability = "safety",
            RewardModel = new() { Style = "model", GroundTruth = "" },
            ExtraInfo = new()
            {
                Split = options.Split,
                Index = index,
                Id = example.Id,
                Prompt = JsonSerializer.Serialize(Messages(example), RunJson.Options),
                PolicyHash = example.Provenance.PolicyHash ?? "",
                Category = example.Category ?? example.Provenance.Category ?? "",
                Action = example.Action ?? "",
                Source = example.Source ?? "",
                Licence = example.Licence ?? "",
                Provenance = JsonSerializer.Serialize(example.Provenance, RunJson.Options),
            },
        })];
        using var buffer = new MemoryStream();
        await ParquetSerializer.SerializeAsync(rows, buffer, cancellationToken: cancellationToken).ConfigureAwait(false);
        AtomicFile.Write(path, stream => stream.Write(buffer.GetBuffer(), 0, (int)buffer.Length));
        return new([path], rows.Length, new Dictionary<string, int>());
    }

    private static List<VerlMessage> Messages(TrainingExample example) =>
        [.. Prompt(example).Select(message => new VerlMessage { Role = message.Role.ToString().ToLowerInvariant(), Content = message.Content })];

    /// <summary>A row.</summary>
    internal sealed class VerlRow
    {
        [JsonPropertyName("data_source")]
        public string DataSource { get; set; } = "";

        [JsonPropertyName("prompt")]
        public List<VerlMessage> Prompt { get; set; } = [];

        [JsonPropertyName("ability")]
        public string Ability { get; set; } = "";

        [JsonPropertyName("reward_model")]
        public VerlReward RewardModel { get; set; } = new();

        [JsonPropertyName("extra_info")]
        public VerlExtra ExtraInfo { get; set; } = new();
    }

    /// <summary>A message.</summary>
    internal sealed class VerlMessage
    {
        [JsonPropertyName("role")]
        public string Role { get; set; } = "";

        [JsonPropertyName("content")]
        public string Content { get; set; } = "";
    }

    /// <summary>How the answer is rewarded.</summary>
    internal sealed class VerlReward
    {
        [JsonPropertyName("style")]
        public string Style { get; set; } = "";

        [JsonPropertyName("ground_truth")]
        public string GroundTruth { get; set; } = "";
    }

    /// <summary>What a reward function gets beside the answer.</summary>
    internal sealed class VerlExtra
    {
        [JsonPropertyName("split")]
        public string Split { get; set; } = "";

        [JsonPropertyName("index")]
        public int Index { get; set; }

        [JsonPropertyName("id")]
        public string Id { get; set; } = "";

        // verl hands its reward functions no other column.
        [JsonPropertyName("prompt")]
        public string Prompt { get; set; } = "";

        [JsonPropertyName("policy_hash")]
        public string PolicyHash { get; set; } = "";

        [JsonPropertyName("category")]
        public string Category { get; set; } = "";

        [JsonPropertyName("action")]
        public string Action { get; set; } = "";

        [JsonPropertyName("source")]
        public string Source { get; set; } = "";

        [JsonPropertyName("licence")]
        public string Licence { get; set; } = "";

        [JsonPropertyName("provenance")]
        public string Provenance { get; set; } = "";
    }
}
