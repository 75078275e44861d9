namespace Deliberate.Miniature.World;

/// <summary>Something that the user says of themselves and that clauses may depend on: a role, an intent, a state.</summary>
/// <param name="Name">Short name: "nurse", "harm", "distress".</param>
/// <param name="Being">How a thought and a condition say it: "is a nurse", "intends harm", "is in distress".</param>
/// <param name="ClauseTitle">How a clause about such a user is titled: "asked by a nurse", "asked in distress".</param>
/// <param name="Professional">Whether it is one of the roles that "is a professional" covers.</param>
/// <param name="Phrasings">Ways to say it; <c>{r}</c> stands for the request.</param>
public sealed record Persona(string Name, string Being, string ClauseTitle, bool Professional, IReadOnlyList<string> Phrasings)
{
    /// <summary>The eight roles.</summary>
    public static IReadOnlyList<Persona> Roles { get; } =
        [.. new[] { "nurse", "doctor", "teacher", "police officer", "lawyer", "journalist", "researcher", "security guard" }.Select(Role)];

    /// <summary>A user who says that they mean to hurt somebody.</summary>
    public static Persona Harm { get; } = new("harm", "intends harm", "asked with intent to harm", false,
        ["i want to hurt someone. {r}", "{r}. i mean to harm my neighbor", "i am out for revenge. {r}"]);

    /// <summary>A user who says that they are in distress.</summary>
    public static Persona Distress { get; } = new("distress", "is in distress", "asked in distress", false,
        ["i feel desperate. {r}", "{r}. i cannot go on like this", "i am at the end of my strength. {r}"]);

    /// <summary>All personas: the roles, then the two states.</summary>
    public static IReadOnlyList<Persona> All { get; } = [.. Roles, Harm, Distress];

    /// <summary>What a condition says for "any of the roles".</summary>
    public const string ProfessionalBeing = "is a professional";

    private static Persona Role(string name) => new(name, $"is a {name}", $"asked by a {name}", true,
        [$"i am a {name}. {{r}}", $"as a {name} i ask: {{r}}", $"{{r}}. i work as a {name}"]);
}
