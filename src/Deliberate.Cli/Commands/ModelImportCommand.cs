using System.CommandLine;
using System.Globalization;
using Deliberate.Cli.Interaction;
using Deliberate.Inference.Weights;
using Deliberate.Inference.Weights.Gguf;

namespace Deliberate.Cli.Commands;

/// <summary><c>model import</c>: a GGUF file as a folder in Hugging Face's layout.</summary>
internal sealed class ModelImportCommand : Command
{
    private static readonly Dictionary<string, TensorType> Types = new() { ["bf16"] = TensorType.BF16, ["fp32"] = TensorType.F32, ["fp16"] = TensorType.F16 };

    private readonly Argument<string> _file = new("FILE") { Description = "The GGUF file." };
    private readonly Argument<string> _folder = new("OUT") { Description = "The model's folder." };
    private readonly Option<string> _type = new("--type") { HelpName = string.Join('|', Types.Keys), Description = "How weights are stored.", DefaultValueFactory = _ => "bf16" };
    private readonly Terminal _terminal;

    public ModelImportCommand(Terminal terminal) : base("import", "Turn a GGUF file into a model's folder in Hugging Face's layout: weights, configuration, tokenizer and chat template.")
    {
        _terminal = terminal;
        Arguments.Add(_file);
        Arguments.Add(_folder);
        Options.Add(_type);
        Validators.Add(result =>
        {
            if (result.GetValue(_type) is { } type && !Types.ContainsKey(type)) result.AddError($"--type is one of {string.Join(", ", Types.Keys)}; '{type}' is not.");
        });
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        var (file, folder) = (parse.GetRequiredValue(_file), parse.GetRequiredValue(_folder));
        if (!File.Exists(file)) throw new FileNotFoundException($"{file}: there is no such file.");
        var imported = GgufImport.Convert(file, folder, Types[parse.GetRequiredValue(_type)]);
        _terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{folder}: {imported.Config.Family}, {imported.Parameters:N0} parameters; {(imported.Tokenizer is { } from ? $"tokenizer of {from}" : "no tokenizer: put tokenizer.json beside the weights")}"));
        return ExitCodes.Success;
    }
}
