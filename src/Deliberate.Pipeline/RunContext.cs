using Deliberate.Endpoints.Models;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Pipeline.Clients;
using Deliberate.Policies;
using Deliberate.Runs;

namespace Deliberate.Pipeline;

/// <summary>What all stages of one run share: the policy in both readings, the base model, the sizes, and where results are kept.</summary>
internal sealed class RunContext : IDisposable
{
    private readonly Generator _generator;
    private readonly RunFolder _folder;

    private RunContext(AlignmentOptions options, Policy policy, WorldPolicy world, ModelFolder model, RunFolder folder)
    {
        (Options, Policy, World, Base, _folder) = (options, policy, world, model, folder);
        Sizes = Sizes.Of(options.Budget);
        _generator = new Generator(model.Weights);
        Clients = OpenClients(options, model, folder, _generator);
        (Whole, WholeCondensed) = WholeSpec(policy, world, model);
        Key = StageKey.Of(["run-3", policy.Hash, model.Fingerprint, options.Seed, options.Budget.ToString(), .. options.Models.Named().OrderBy(role => role.Key).Select(role => $"{role.Key} {role.Value}")]);
    }

    public AlignmentOptions Options { get; }

    public Policy Policy { get; }

    /// <summary>The policy as the miniature reads it.</summary>
    public WorldPolicy World { get; }

    public ModelFolder Base { get; }

    public Sizes Sizes { get; }

    /// <summary>Who answers and who judges.</summary>
    public RunClients Clients { get; }

    public StageStore Store => _folder.Store;

    /// <summary>What every stage's result depends on.</summary>
    public string Key { get; }

    public string PathOf(string name) => _folder.PathOf(name);

    /// <summary>spec(category).</summary>
    public Spec Spec(string category) => WorldPrompts.Spec(World, Policy.Hash, category);

    /// <summary>The whole policy, for the arm that is told it and not the category.</summary>
    public Spec Whole { get; }

    /// <summary>How the whole policy was condensed to fit the model's window; null: not at all.</summary>
    public string? WholeCondensed { get; }

    public static (Spec Spec, string? Condensed) WholeSpec(Policy policy, WorldPolicy world, ModelFolder model) =>
        WorldPrompts.Whole(world, policy.Hash, text => model.Tokenizer.Encode(text).Length <= model.Weights.Config.MaxPositions - Limits.BesideThePolicy);

    /// <summary>A seed of its own for each use of randomness.</summary>
    public int Seed(string use) => Conversations.CallSeed.Derive(Options.Seed, use, 0);

    /// <exception cref="AlignmentException">The model cannot be read, or the folder belongs to another run.</exception>
    public static RunContext Open(AlignmentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var policy = Policy.Load(options.PolicyFolder);
        RequireWords(options.Models);
        return Open(options, policy, PolicyReading.Read(policy), LoadModel(options.ModelFolder ?? options.Models.Base?.Name.Path ?? ShippedModel.Folder));
    }

    public static RunContext Open(AlignmentOptions options, Policy policy, WorldPolicy world, ModelFolder model)
    {
        try
        {
            var manifest = new RunManifest(policy.Hash, model.Fingerprint, options.Seed, new Dictionary<string, string>(options.Models.Named()) { ["budget"] = options.Budget.ToString() });
            var folder = RunFolder.Open(options.Out, manifest);
            var codes = ClauseCodes.Lend(model.Tokenizer, world);
            model = model.WithTokens(codes);
            new RunOrigin(Path.GetFullPath(options.PolicyFolder), Path.GetFullPath(model.Path), WholeSpec(policy, world, model).Spec.Text, codes).Write(options.Out);
            return new RunContext(options, policy, world, model, folder);
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new AlignmentException(problem.Message, problem);
        }
    }

    // The world's requests are of the miniature's language: a model that does not speak it could only fail.
    private static void RequireWords(ModelRoles models)
    {
        foreach (var (role, settings) in (ReadOnlySpan<(string, ModelSettings?)>)[("--base", models.Base), ("--judge", models.Judge)])
            if (settings is not null && RoleClient.FormatOf(settings) != "miniature")
                throw new AlignmentException($"{role} {settings.Name}: the built-in prompts are of the miniature's world, which this model does not know. Give prompts with --prompts FILE; or, if the server serves the miniature, name the model miniature or set `format: miniature` in deliberate.yaml.");
        if (models.Grader is { } grader) throw new AlignmentException($"--grader {grader.Name}: the built-in prompts are measured by their exact oracle; a grader goes with --prompts.");
    }

    private static RunClients OpenClients(AlignmentOptions options, ModelFolder model, RunFolder folder, Generator generator)
    {
        RoleClient Own()
        {
            var client = new LocalChatClient(generator, new ChatFormat(model.Tokenizer), new() { ModelId = model.Fingerprint, MaxOutputTokens = Limits.VerdictTokens });
            return RoleClient.Local(model.Fingerprint, client, client);
        }

        RoleClient Other(string path)
        {
            var arm = ArmModels.OpenModel(path, options.PolicyFolder);
            return RoleClient.Local(path, arm.Client, arm);
        }

        // The model that is trained is already open.
        return RunClients.Open(options.Models, Path.GetFileName(folder.FolderPath), (path, _) => path is null || Path.GetFullPath(path) == Path.GetFullPath(model.Path) ? Own() : Other(path));
    }

    public static ModelFolder LoadModel(string path)
    {
        try
        {
            return ModelFolder.Load(path);
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException)
        {
            throw new AlignmentException($"the model cannot be read: {problem.Message}", problem);
        }
    }

    public void Dispose()
    {
        Clients.Dispose();
        _generator.Dispose();
        _folder.Dispose();
    }
}
