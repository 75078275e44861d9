using Deliberate.Endpoints.Flow;
using Deliberate.Endpoints.Models;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;

namespace Deliberate.Pipeline.Clients;

/// <summary>
/// A model in one of its roles. One behind an endpoint has its limits within and the run store outside, so that no response is paid for twice; a real model
/// of this machine has the store as well, since its answers take time; the miniature is asked as it is.
/// </summary>
internal sealed class RoleClient : IDisposable
{
    private readonly IChatClient _client;
    private readonly Func<string, IChatClient> _forStage;
    private readonly IReadOnlyList<IDisposable> _owned;
    private readonly List<ResponseStoreClient> _stored = [];

    private RoleClient(string name, string format, IChatClient client, Func<RoleClient, string, IChatClient> forStage, params IReadOnlyList<IDisposable> owned) =>
        (Name, Format, _client, _forStage, _owned) = (name, format, client, stage => forStage(this, stage), owned);

    /// <summary>Names the model and all that decides what it says.</summary>
    public string Name { get; }

    /// <summary>In which words it is asked: "paper", "tagged", "safeguard" or "miniature".</summary>
    public string Format { get; }

    /// <summary>Whether the prompt ends inside the thought.</summary>
    public bool ThinkingOpened { get; private init; }

    /// <summary>What multiplies the tokens of prompts, where there was a choice: see <see cref="LocalChat.Prompts"/>.</summary>
    public string? Prompts { get; private init; }

    /// <summary>Limits and counts of an endpoint; null for a model of this machine.</summary>
    public FlowController? Flow => _client.GetService<FlowController>();

    /// <summary>Responses that were had from the store, and calls that were made and answered.</summary>
    public (long Reused, long Paid) Counts => (_stored.Sum(client => client.Reused), _stored.Sum(client => client.Paid));

    /// <summary>A model behind an endpoint.</summary>
    public static RoleClient Remote(ModelSettings settings, RunClients run)
    {
        settings = settings with { Flow = WithSpent(settings, run.Run, run.Responses) };
        var client = settings.CreateClient(run.Roles.Environment);
        var prices = settings.Flow.Prices;
        return new(NameOf(settings), FormatOf(settings), client, (role, stage) => role.Stored(run, stage, response => Cost(prices, settings.Name.Model!, response)), client)
        { ThinkingOpened = settings.ThinkingOpened ?? false };
    }

    /// <summary>A model of this machine.</summary>
    public static RoleClient Local(string name, IChatClient client, params IReadOnlyList<IDisposable> owned) => new(name, "miniature", client, (_, _) => client, owned);

    /// <summary>A model of this machine with a chat template.</summary>
    public static RoleClient Local(LocalChat model, RunClients run, string? format = null) =>
        new(model.Name, format ?? (model.Model.Thinks ? "paper" : "tagged"), model.Client, (role, stage) => role.Stored(run, stage, cost: null), model) { Prompts = model.Prompts };

    /// <summary>The client for a stage's calls.</summary>
    public IChatClient For(string stage) => _forStage(stage);

    /// <summary>What calls have cost and how fast they go, in a line; of a model of this machine how many answers it had given before.</summary>
    public string Told()
    {
        var reused = Counts.Reused;
        if (Flow is not { } flow) return reused == 0 ? "" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{reused} from the store");
        return reused == 0 ? flow.Snapshot().ToString() : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{reused} from the store; {flow.Snapshot()}");
    }

    /// <summary>A model's name with those of its settings that decide what it says.</summary>
    public static string NameOf(ModelSettings settings)
    {
        string?[] parts =
        [
            settings.Name.ToString(),
            settings.Api == 0 ? null : $"api={settings.Api}",
            settings.ReasoningEffort is { } effort ? $"effort={effort}" : null,
            settings.EnableThinking is { } thinking ? $"thinking={thinking}" : null,
            settings.ExtraBody?.ToJsonString(),
        ];
        return string.Join(' ', parts.Where(part => part is not null));
    }

    /// <summary>The words for a model: those that its settings name, or else the miniature's for one of that name and the paper's for any other.</summary>
    public static string FormatOf(ModelSettings settings) => settings.Format
        ?? (settings.Name.Path is { } path && !LocalChat.IsMiniature(path) ? "paper" : null)
        ?? (settings.Name.Kind is ModelKind.Miniature or ModelKind.Local || (settings.Name.Model?.Split('/')[^1].StartsWith("miniature", StringComparison.OrdinalIgnoreCase) ?? false) ? "miniature" : "paper");

    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
    }

    private ResponseStoreClient Stored(RunClients run, string stage, Func<ChatResponse, decimal?>? cost)
    {
        var stored = _client.UseResponseStore(run.Responses, new(run.Run, stage, Name, cost, run.Roles.RetryFailed));
        _stored.Add(stored);
        return stored;
    }

    // A cap holds for a run and a model, however often the run is started.
    private static FlowControlOptions WithSpent(ModelSettings settings, string run, ResponseStore store)
    {
        if (settings.Flow is { MaxCost: null, MaxTokens: null }) return settings.Flow;
        var name = NameOf(settings);
        var paid = StoreSummary.Of(store).Runs.Where(known => known.Run == run).SelectMany(known => known.Stages).Where(stage => stage.Model == name).ToArray();
        return settings.Flow with { CostBefore = paid.Sum(stage => stage.Cost), TokensTakenBefore = paid.Sum(stage => stage.TokensIn + stage.TokensOut) };
    }

    private static decimal? Cost(PriceTable? prices, string model, ChatResponse response) =>
        (prices?.Find(response.ModelId ?? model) ?? prices?.Find(model)) is { } price && response.Usage is { } usage
            ? price.Of(usage.InputTokenCount ?? 0, usage.OutputTokenCount ?? 0, usage.CachedInputTokenCount ?? 0) : null;
}
