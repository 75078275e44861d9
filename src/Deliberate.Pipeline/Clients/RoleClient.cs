using Deliberate.Endpoints.Flow;
using Deliberate.Endpoints.Models;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;

namespace Deliberate.Pipeline.Clients;

/// <summary>
/// A model in one of its roles. One behind an endpoint has its limits within and the run store outside, so that no response is paid for twice; one of
/// this machine is asked as it is.
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

    /// <summary>Limits and counts of an endpoint; null for a model of this machine.</summary>
    public FlowController? Flow => _client.GetService<FlowController>();

    /// <summary>Responses that were had from the store, and calls that were made and answered.</summary>
    public (long Reused, long Paid) Counts => (_stored.Sum(client => client.Reused), _stored.Sum(client => client.Paid));

    /// <summary>A model behind an endpoint.</summary>
    public static RoleClient Remote(ModelSettings settings, string run, ResponseStore store, ModelRoles roles)
    {
        settings = settings with { Flow = WithSpent(settings, run, store) };
        var client = settings.CreateClient(roles.Environment);
        var prices = settings.Flow.Prices;
        return new(NameOf(settings), FormatOf(settings), client, (role, stage) =>
        {
            var stored = client.UseResponseStore(store, new(run, stage, role.Name, response => Cost(prices, settings.Name.Model!, response), roles.RetryFailed));
            role._stored.Add(stored);
            return stored;
        }, client)
        { ThinkingOpened = settings.ThinkingOpened ?? false };
    }

    /// <summary>A model of this machine.</summary>
    public static RoleClient Local(string name, IChatClient client, params IReadOnlyList<IDisposable> owned) => new(name, "miniature", client, (_, _) => client, owned);

    /// <summary>A model of this machine with a chat template.</summary>
    public static RoleClient Local(LocalChat model, string? format = null) => new(model.Name, format ?? (model.Model.Thinks ? "paper" : "tagged"), model.Client, (_, _) => model.Client, model);

    /// <summary>The client for a stage's calls.</summary>
    public IChatClient For(string stage) => _forStage(stage);

    /// <summary>What calls have cost and how fast they go, in a line; empty for a model of this machine.</summary>
    public string Told()
    {
        if (Flow is not { } flow) return "";
        var reused = Counts.Reused;
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
