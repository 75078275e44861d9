using Deliberate.Endpoints.Models;

namespace Deliberate.Pipeline.Clients;

/// <summary>The models of a run by what they do, and how their calls are kept. Immutable.</summary>
public sealed record ModelRoles
{
    /// <summary>Where responses are kept if nothing else is said, shared by all runs.</summary>
    public static string DefaultResponses { get; } = Path.Combine("runs", "responses.db");

    /// <summary>Answers prompts with the policy in context; null: the shipped miniature.</summary>
    public ModelSettings? Base { get; init; }

    /// <summary>Judges for training; null: the base model.</summary>
    public ModelSettings? Judge { get; init; }

    /// <summary>Judges for measuring, and must be another than <see cref="Judge"/>; null: none.</summary>
    public ModelSettings? Grader { get; init; }

    /// <summary>The file in which responses are kept: of endpoints, and of real models of this machine.</summary>
    public string Responses { get; init; } = DefaultResponses;

    /// <summary>Whether calls that failed for good earlier are made again.</summary>
    public bool RetryFailed { get; init; }

    /// <summary>Gives the value of an environment variable; null takes the process's own.</summary>
    public Func<string, string?>? Environment { get; init; }

    /// <summary>The roles that are filled, as a run's manifest names them.</summary>
    internal Dictionary<string, string> Named()
    {
        var named = new Dictionary<string, string>();
        if (Base is not null) named["base"] = RoleClient.NameOf(Base);
        if (Judge is not null) named["judge"] = RoleClient.NameOf(Judge);
        return named;
    }
}
