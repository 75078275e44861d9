using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Cli.Interaction;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Cli.Commands;

/// <summary><c>model encode</c>: texts as token ids.</summary>
internal sealed class ModelEncodeCommand : ModelProbeCommand
{
    private readonly Option<bool> _special = new("--special") { Description = "Add the tokens that the model wants around a text, such as a begin of sequence." };

    public ModelEncodeCommand(Terminal terminal) : base(terminal, "encode", "Read a JSON string a line and write its token ids.") => Options.Add(_special);

    protected override (Func<JsonElement, JsonNode> Answer, IDisposable? Owned) Open(string path, ParseResult parse)
    {
        var (tokenizer, special) = (Tokenizer.Load(Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path), parse.GetValue(_special));
        return (line => Array(tokenizer.Encode(line.ValueKind == JsonValueKind.String ? line.GetString()! : throw new InvalidDataException("the line is no JSON string"), special)), null);
    }
}

/// <summary><c>model decode</c>: token ids as texts.</summary>
internal sealed class ModelDecodeCommand : ModelProbeCommand
{
    private readonly Option<bool> _skip = new("--skip-special") { Description = "Leave special tokens out." };

    public ModelDecodeCommand(Terminal terminal) : base(terminal, "decode", "Read a list of token ids a line and write their text as a JSON string.") => Options.Add(_skip);

    protected override (Func<JsonElement, JsonNode> Answer, IDisposable? Owned) Open(string path, ParseResult parse)
    {
        var (tokenizer, skip) = (Tokenizer.Load(Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path), parse.GetValue(_skip));
        return (line => JsonValue.Create(tokenizer.Decode(Ids(line), skip)), null);
    }
}
