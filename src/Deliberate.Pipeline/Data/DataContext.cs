using System.Security.Cryptography;
using Deliberate.Conversations;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Hub;
using Deliberate.Pipeline.Clients;
using Deliberate.Policies;
using Deliberate.Runs;

namespace Deliberate.Pipeline.Data;

/// <summary>What the stages of one run share. Each stage writes one file, and notes under which key it did: work is done again when what it depends on has changed.</summary>
internal sealed class DataContext : IDisposable
{
    private readonly RunFolder _folder;

    private DataContext(DataOptions options, Policy policy, RunFolder folder, RunClients clients)
    {
        (Options, Policy, _folder, Clients) = (options, policy, folder, clients);
        BaseWords = Words(clients.Base);
        JudgeWords = Words(clients.Judge);
        GraderWords = clients.Grader is null ? null : Words(clients.Grader);
    }

    public DataOptions Options { get; }

    public Policy Policy { get; }

    public RunClients Clients { get; }

    public ModelWords BaseWords { get; }

    public ModelWords JudgeWords { get; }

    public ModelWords? GraderWords { get; }

    /// <exception cref="AlignmentException">A model cannot be opened, or the folder belongs to another run.</exception>
    /// <exception cref="PolicyException">The policy cannot be read.</exception>
    public static DataContext Open(DataOptions options)
    {
        var policy = Policy.Load(options.PolicyFolder);
        var miniature = new Endpoints.Models.ModelSettings { Name = new(Endpoints.Models.ModelKind.Miniature) };
        var roles = options.Models with { Base = options.Models.Base ?? miniature };
        RunFolder? folder = null;
        try
        {
            folder = RunFolder.Open(options.Out, new(policy.Hash, RoleClient.NameOf(roles.Base), options.Seed, new Dictionary<string, string> { ["kind"] = "prompts of files" }));
            new RunOrigin(Path.GetFullPath(options.PolicyFolder), PlaceOf(roles.Base), policy.Spec(null, options.SpecTokens).Text).Write(options.Out);
            return new(options, policy, folder, RunClients.Open(roles, Path.GetFileName(folder.FolderPath), (path, clients) => Local(path ?? ShippedModel.Folder, options, clients)));
        }
        catch (Exception problem)
        {
            folder?.Dispose();
            if (problem is IOException or InvalidDataException or UnauthorizedAccessException) throw new AlignmentException(problem.Message, problem);
            throw;
        }
    }

    public string PathOf(string name) => _folder.PathOf(name);

    /// <summary>Where a trained model is kept.</summary>
    public string ModelFolder(string arm) => PathOf(Path.Combine("models", arm));

    /// <summary>Whether the base model can be trained here.</summary>
    public bool CanTrain => Options.Models.Base?.Name.Path is { } path && !LocalChat.IsMiniature(path);

    /// <summary>The base model's folder, opened to be trained.</summary>
    /// <exception cref="AlignmentException">It is not a model of this machine with a chat template, or cannot be read.</exception>
    public LocalModel OpenBase()
    {
        if (!CanTrain) throw new AlignmentException($"{Clients.Base.Name} cannot be trained on prompts of files: name a model of this machine with --base local:PATH or hf:OWNER/NAME, or write the examples with `deliberate export` for another trainer.");
        try
        {
            return LocalModel.Open(LocalChat.Folder(Options.Models.Base!.Name.Path!));
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException)
        {
            throw new AlignmentException($"the model cannot be read: {problem.Message}", problem);
        }
    }

    /// <summary>Names what a file holds.</summary>
    public static string HashOf(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream))[..16];
    }

    public int Seed(string use) => CallSeed.Derive(Options.Seed, use, 0);

    /// <summary>What a stage found, if its last result was made under this key and its file is there.</summary>
    public T? Finished<T>(string stage, string key, string file) where T : class =>
        _folder.Store.TryLoad<Done<T>>(stage, "last", out var done) && done.Key == key && File.Exists(PathOf(file)) ? done.Result : null;

    /// <summary>Notes what a stage found.</summary>
    public T Finish<T>(string stage, string key, T result)
    {
        _folder.Store.Save(stage, "last", new Done<T>(key, result));
        return result;
    }

    public void Dispose()
    {
        Clients.Dispose();
        _folder.Dispose();
    }

    // Where the base model is found again: null is behind an endpoint.
    private static string? PlaceOf(Endpoints.Models.ModelSettings model) =>
        model.Name.Address is not null ? null : model.Name.Path is not { } path ? Path.GetFullPath(ShippedModel.Folder) : HubReference.Is(path) ? path : Path.GetFullPath(path);

    private sealed record Done<T>(string Key, T Result);

    private ModelWords Words(RoleClient client) => ModelWords.Of(client.Format, Policy, Options.SpecTokens, Seed("judge-words"));

    private static RoleClient Local(string path, DataOptions options, RunClients clients)
    {
        if (!LocalChat.IsMiniature(path))
        {
            var models = options.Models;
            return RoleClient.Local(LocalChat.Open(path, options.MaxTokens), clients, new[] { models.Base, models.Judge, models.Grader }.FirstOrDefault(role => role?.Name.Path == path)?.Format);
        }

        var arm = ArmModels.OpenModel(path, options.PolicyFolder);
        return RoleClient.Local(path, arm.Client, arm);
    }
}
