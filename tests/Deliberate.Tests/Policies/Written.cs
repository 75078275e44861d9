using Deliberate.Policies;

namespace Deliberate.Tests.Policies;

/// <summary>A small policy in memory, of which a test changes what it is about.</summary>
internal static class Written
{
    public const string Main = """
        # House rules

        Rules of a house.

        ## Principles

        - Help first.
        - Do not lecture.

        ## Refusal style: a brief apology

        - Say sorry once.

        ## Safe-completion style: general facts

        Stay general.

        ## Precedence

        Clauses about users come first.
        """;

    public const string Theft = """
        # Theft

        Taking what is not yours. Owners ask for help.

        ## Terms

        - **Method**: a way to steal.

        ## Allowed

        - **T1** A story, a poem: fiction
          over two lines. Unless the user is a nurse: safe-complete.
          - Example: a tale of a heist
          - Exclusion: a plan
        - **T2** History: the past.

        ## Disallowed

        - **T3** Instructions: never.

        ## Safe completion

        - **T4** Statistics: only for a stated professional, else refuse. Figures mislead.
        """;

    public const string Pets = """
        # Pets

        Animals at home. They are liked.

        ## Allowed

        - **P1** Everything: gladly.
        """;

    public static Policy Policy(string main = Main, string theft = Theft, string? pets = Pets) => Deliberate.Policies.Policy.Parse(Files(main, theft, pets), "rules");

    public static Dictionary<string, string> Files(string main = Main, string theft = Theft, string? pets = Pets)
    {
        var files = new Dictionary<string, string> { ["policy.md"] = main, ["theft.md"] = theft };
        if (pets is not null) files["pets.md"] = pets;
        return files;
    }

    /// <summary>A category's text around these clauses, which begin at line 7.</summary>
    public static string Clauses(string clauses, string section = "Allowed") => $"# Theft\n\nTaking.\n\n## {section}\n\n{clauses}\n";
}
