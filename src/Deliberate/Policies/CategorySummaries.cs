using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Prompts;
using Deliberate.Runs;
using Microsoft.Extensions.AI;

namespace Deliberate.Policies;

/// <summary>Where a category's condensed summary comes from.</summary>
public enum SummaryState
{
    /// <summary>It was there, and the category has not changed since.</summary>
    Kept,

    /// <summary>It was written now, and there was none before.</summary>
    Written,

    /// <summary>It was written anew, as the category had changed and nobody had edited the old one.</summary>
    Rewritten,

    /// <summary>Somebody edited it, and the category has not changed since.</summary>
    Edited,

    /// <summary>Somebody edited it, and the category has changed since. The edited text stays until somebody has looked at it.</summary>
    EditedBeforeChange,

    /// <summary>There is none: the model wrote nothing that could be used, or was not asked.</summary>
    Missing,
}

/// <summary>The condensed summary of a category.</summary>
/// <param name="Category">The category's id.</param>
/// <param name="State">Where it comes from.</param>
/// <param name="Text">The summary; null when there is none.</param>
/// <param name="File">The file that keeps it.</param>
/// <param name="Note">What somebody should know or do, in one line with the file; or null.</param>
public sealed record CategorySummary(string Category, SummaryState State, string? Text, string File, string? Note = null);

/// <summary>
/// Has a model condense each category of a policy to a few sentences for the specifications of other categories (arXiv 2412.16339, section 2.3.1), and
/// keeps them as Markdown in the folder "summaries" of the policy, for people to edit. A summary is asked for again only when the category's text has
/// changed, and an edited one is never overwritten. Thread-safe as far as the client is; one process a policy at a time.
/// </summary>
public sealed class CategorySummaries
{
    /// <summary>The folder within the policy's.</summary>
    public const string FolderName = "summaries";

    private const string Version = "summary-1";

    // A model that wrote too much is asked once more.
    private const int Attempts = 2;

    private readonly Asker _asker;
    private readonly int _tokens;
    private readonly Func<string, int> _count;

    /// <summary>Summaries by this client.</summary>
    /// <param name="client">The model.</param>
    /// <param name="tokens">The most tokens of a summary, at least 10.</param>
    /// <param name="options">How the model is asked.</param>
    /// <param name="countTokens">Counts a text's tokens; by default as <see cref="Policy.Spec"/> does.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public CategorySummaries(IChatClient client, int tokens = 80, AskOptions? options = null, Func<string, int>? countTokens = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 10);
        (_asker, _tokens, _count) = (new(client, options ?? new()), tokens, countTokens ?? SpecText.Estimate);
    }

    /// <summary>The summaries that the policy's folder keeps, without asking a model.</summary>
    public static IReadOnlyList<CategorySummary> Load(Policy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return [.. policy.Categories.Select(category => Known(policy, category) is var (file, summary) && summary is not null ? summary : new CategorySummary(category.Id, SummaryState.Missing, null, file, $"{file}: there is no summary; have it written or write it"))];
    }

    /// <summary>The policy with these summaries where there are any.</summary>
    public static Policy Apply(Policy policy, IReadOnlyList<CategorySummary> summaries)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(summaries);
        return policy.WithCondensed(summaries.Where(summary => summary.Text is not null).ToDictionary(summary => summary.Category, summary => summary.Text!));
    }

    /// <summary>Writes what is missing or out of date, and returns all.</summary>
    /// <param name="policy">The policy, as loaded from its folder.</param>
    /// <param name="progress">Hears how many categories are done.</param>
    /// <param name="cancellationToken">Stops the work; what is written stays.</param>
    /// <returns>The summaries in the order of the categories.</returns>
    /// <exception cref="InvalidOperationException">Every single call failed: the model is out of reach.</exception>
    /// <exception cref="IOException">A summary cannot be kept.</exception>
    public async Task<IReadOnlyList<CategorySummary>> WriteAsync(Policy policy, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var made = await Ordered.RunAsync(policy.Categories.Count, _asker.Options.Concurrency, async (number, token) =>
        {
            var category = policy.Categories[number];
            var (file, known) = Known(policy, category);
            var stale = known is not null && known.State == SummaryState.Missing;
            if (known is not null && !stale) return (Summary: known, Asked: false, Failed: false);
            var (text, problem, failed, model) = await AskAsync(policy, category, token).ConfigureAwait(false);
            if (text is null) return (new(category.Id, SummaryState.Missing, null, file, $"{file}: no summary was written: {problem}"), true, failed);
            new SummaryFile(category.File, text, SummaryFile.KeyOf(category), SummaryFile.Hash(text), model).Write(file);
            return (new(category.Id, stale ? SummaryState.Rewritten : SummaryState.Written, text, file), true, false);
        }, progress, cancellationToken).ConfigureAwait(false);
        Asker.RequireOne([.. made.Where(each => each.Asked).Select(each => (each.Failed, each.Summary.Note))], "summarises");
        return [.. made.Select(each => each.Summary)];
    }

    // What the file says; a summary of an older text that nobody edited counts as missing, with its state saying that there was one.
    private static (string File, CategorySummary? Summary) Known(Policy policy, Category category)
    {
        var path = Path.Combine(policy.Folder, FolderName, category.File);
        if (SummaryFile.Read(path) is not { } file) return (path, null);
        var current = file.Key is null || file.Key == SummaryFile.KeyOf(category);
        return (path, (file.IsEdited, current) switch
        {
            (true, true) => new(category.Id, SummaryState.Edited, file.Text, path),
            (true, false) => new(category.Id, SummaryState.EditedBeforeChange, file.Text, path,
                $"{path}: was edited, and {category.File} has changed since; look it over and put 'source {SummaryFile.KeyOf(category)}' into its first lines, or remove the file to have it written anew"),
            (false, true) => new(category.Id, SummaryState.Kept, file.Text, path),
            _ => new(category.Id, SummaryState.Missing, null, path, $"{path}: {category.File} has changed since the summary was written; have it written anew"),
        });
    }

    private async Task<(string? Text, string? Problem, bool Failed, string Model)> AskAsync(Policy policy, Category category, CancellationToken cancellationToken)
    {
        var (problem, failed, model) = ((string?)null, false, "");
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            // An English word is about four thirds of a token; the second time, less is asked for.
            var words = Math.Max(5, _tokens * 3 / 4 / (attempt + 1));
            var messages = Messages(policy, category, words);
            var reply = await _asker.AskAsync(new(category.Id, attempt, TemplateVersion: Version), messages, CallSeed.Derive(_asker.Options.Seed, category.Id, attempt), cancellationToken).ConfigureAwait(false);
            (problem, failed, model) = (reply.Problem, reply.Failed, reply.Model);
            if (reply.Answer is null) continue;
            var text = SummaryFile.Plain(reply.Answer);
            var tokens = _count(text);
            if (text.Length > 0 && tokens <= _tokens) return (text, null, false, model);
            problem = text.Length == 0 ? "the reply is empty" : string.Create(CultureInfo.InvariantCulture, $"the reply has {tokens} tokens and the budget is {_tokens}");
        }

        return (null, problem, failed, model);
    }

    private static ChatMessage[] Messages(Policy policy, Category category, int words) =>
    [
        new(ChatRole.System, "You condense policies for language models. You leave nothing out that decides whether a request is answered, refused or answered with care, and you add nothing."),
        new(ChatRole.User, $"""
            This is one category of the policy "{policy.Title}":

            {PolicyMarkdown.Category(category, 1, code => $"[{code}]")}
            ----
            Write what the category is about and what it allows, forbids and answers with care, in running text of at most {words} words. A reader must be able to
            tell from it whether a request falls under this category. No codes, no lists, no heading, no introduction.
            """),
    ];
}
