using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Server.Access;
using Deliberate.Server.Rewards.Metrics;
using Deliberate.Server.Rewards.Protocols;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Deliberate.Server.Rewards;

/// <summary>Lends a judge to trainers: <c>services.AddRewards(judge, policy)</c>, then <c>app.MapRewards()</c>. <c>docs/rewards.md</c> describes the protocols.</summary>
public static class RewardExtensions
{
    /// <summary>Adds the reward server.</summary>
    /// <param name="services">The services.</param>
    /// <param name="judge">Judges the answers; it gets no thought.</param>
    /// <param name="policy">The policy to judge by.</param>
    /// <param name="options">How it works; by default as <see cref="RewardOptions"/> says.</param>
    /// <exception cref="ArgumentOutOfRangeException">Thrown by <see cref="MapRewards"/>: an option is out of range.</exception>
    /// <exception cref="PolicyException">Thrown by <see cref="MapRewards"/>: a category exceeds the token budget, or the default category does not exist.</exception>
    public static IServiceCollection AddRewards(this IServiceCollection services, IAnswerJudge judge, Policy policy, RewardOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(policy);
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RewardTelemetry>();
        services.TryAddSingleton<PrometheusMetrics>();
        services.AddSingleton(provider => new RewardScorer(judge, policy, options ?? new(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<RewardTelemetry>()));
        return services;
    }

    /// <summary>
    /// Maps <c>/reward</c> and <c>/get_reward</c> (OpenRLHF), <c>/score</c> (verl, TRL), <c>/seed_session</c> and <c>/verify</c> (NeMo Gym) and <c>/metrics</c>
    /// (Prometheus). All demand <see cref="Rights.Reward"/>.
    /// </summary>
    /// <param name="endpoints">Where to map them; <see cref="AddRewards"/> must have been called.</param>
    /// <returns>The endpoints, to add conventions to.</returns>
    public static IEndpointConventionBuilder MapRewards(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var metrics = endpoints.ServiceProvider.GetRequiredService<PrometheusMetrics>();
        var scorer = endpoints.ServiceProvider.GetRequiredService<RewardScorer>();
        var (openRlhf, score, nemoGym) = (new OpenRlhfReward(scorer), new ScoreReward(scorer), new NemoGymReward(scorer));
        var group = endpoints.MapGroup("").RequireAuthorization(Rights.Reward).WithMetadata(new BodyLimit(scorer.Options.MaxBodyBytes));
        group.MapPost("/reward", RewardRoute.Of(openRlhf.HandleAsync));
        group.MapPost("/get_reward", RewardRoute.Of(openRlhf.HandleAsync));
        group.MapPost("/score", RewardRoute.Of(score.HandleAsync));
        group.MapPost("/seed_session", RewardRoute.Of(NemoGymReward.SeedAsync));
        group.MapPost("/verify", RewardRoute.Of(nemoGym.VerifyAsync));
        group.MapGet("/metrics", context =>
        {
            context.Response.ContentType = PrometheusMetrics.ContentType;
            return context.Response.WriteAsync(metrics.Write(), context.RequestAborted);
        });
        return group;
    }

    private sealed class BodyLimit(long bytes) : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => bytes;
    }
}
