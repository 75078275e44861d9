using System.CommandLine;
using Deliberate.Prompts;

namespace Deliberate.Cli.Commands;

/// <summary>The arguments that name files of prompts, and the file that comes of them.</summary>
internal sealed class PromptFiles
{
    private readonly Argument<string[]> _files = new("FILE") { Description = "Prompts: JSON lines, CSV, TSV or Parquet.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _fields = new("--fields") { HelpName = "NAME=FIELD,...", Description = "Which fields hold id, prompt, messages, category and label. [default: found by their usual names]" };
    private readonly Option<string> _out = new("--out") { HelpName = "FILE", Description = "Where to write the rows, as JSON lines.", Required = true };

    /// <summary>Adds the arguments to a command.</summary>
    public PromptFiles(Command command)
    {
        command.Arguments.Add(_files);
        command.Options.Add(_fields);
        command.Options.Add(_out);
    }

    /// <summary>The file to write.</summary>
    public string Out(ParseResult parse) => parse.GetRequiredValue(_out);

    /// <summary>The prompts in parts of at most <paramref name="size"/>, of which each asks something that none before it asked, under an id of its own.</summary>
    public async IAsyncEnumerable<IReadOnlyList<SourcePrompt>> PartsAsync(ParseResult parse, int size, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var preparation = new PromptPreparation(new(NearDuplicate: 2, HeldOut: 0));
        var options = new PromptFileOptions(parse.GetValue(_fields) is { } fields ? PromptFields.Parse(fields) : null);
        var part = new List<SourcePrompt>();
        foreach (var file in parse.GetRequiredValue(_files))
        {
            if (!File.Exists(file)) throw new FileNotFoundException($"{file}: there is no such file of prompts.");
            await foreach (var prepared in preparation.RunAsync(PromptFile.ReadAsync(file, options, cancel), cancel))
            {
                part.Add(prepared.Source with { Prompt = prepared.Prompt });
                if (part.Count < size) continue;
                yield return part;
                part = [];
            }
        }

        if (part.Count > 0) yield return part;
    }
}
