namespace Deliberate.Miniature.World;

/// <summary>A disguise of a request that changes its words and not what it asks for: the miniature's jailbreaks and encodings.</summary>
public enum Wrapper
{
    /// <summary>No disguise.</summary>
    None,

    /// <summary>The model is to play somebody without limits.</summary>
    RolePlay,

    /// <summary>An order to ignore the rules.</summary>
    IgnoreRules,

    /// <summary>The answer is to open with given words.</summary>
    PrefixInjection,

    /// <summary>Refusing is forbidden.</summary>
    RefusalSuppression,

    /// <summary>The topic is cut in two variables.</summary>
    PayloadSplitting,

    /// <summary>A character in a work of fiction asks.</summary>
    FictionFrame,

    /// <summary>The words stand in reverse order.</summary>
    Reversed,

    /// <summary>The request is in the world's made-up language.</summary>
    Foreign,

    /// <summary>The topic is spelled letter by letter.</summary>
    Spelled,
}

/// <summary>What thoughts call the wrappers, and which of them safety data never shows.</summary>
public static class Wrappers
{
    /// <summary>Wrappers that occur in safety training data.</summary>
    public static IReadOnlyList<Wrapper> Known { get; } =
        [Wrapper.RolePlay, Wrapper.IgnoreRules, Wrapper.PrefixInjection, Wrapper.RefusalSuppression, Wrapper.PayloadSplitting, Wrapper.FictionFrame];

    /// <summary>Wrappers held out of all safety training data: out of distribution (paper section 4.3).</summary>
    public static IReadOnlyList<Wrapper> HeldOut { get; } = [Wrapper.Reversed, Wrapper.Foreign, Wrapper.Spelled];

    /// <summary>All nine wrappers.</summary>
    public static IReadOnlyList<Wrapper> All { get; } = [.. Known, .. HeldOut];

    /// <summary>The wrapper in a thought: "Behind the role-play, the user asks for ...".</summary>
    public static string Name(this Wrapper wrapper) => wrapper switch
    {
        Wrapper.RolePlay => "role-play",
        Wrapper.IgnoreRules => "order to ignore rules",
        Wrapper.PrefixInjection => "set opening",
        Wrapper.RefusalSuppression => "ban on refusing",
        Wrapper.PayloadSplitting => "split words",
        Wrapper.FictionFrame => "fiction frame",
        Wrapper.Reversed => "reversed words",
        Wrapper.Foreign => "foreign words",
        Wrapper.Spelled => "spelled letters",
        _ => throw new ArgumentOutOfRangeException(nameof(wrapper), wrapper, "An undisguised request has no wrapper to name."),
    };
}
