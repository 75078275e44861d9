using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Deliberate.Judging.Propositions;

/// <summary>
/// Reads propositions in the layout of OpenAI's rule-based rewards (<c>config/proposition_prompts.yaml</c>): <c>simple_propositions</c> with a <c>prompt</c> each,
/// <c>derived_propositions</c>, <c>completion_classes</c> by class and response type, <c>completion_class_order</c>. Ours are <c>weight</c> and <c>needed</c> beside a
/// prompt and <c>weights</c> by name at the top. The file's own <c>prompt_template</c> is not used, since its fence can be closed from inside.
/// JSON is YAML too.
/// </summary>
public static class PropositionFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is no such file; the message names file, line and field.</exception>
    public static PropositionSet Read(string path)
    {
        using var reader = File.OpenText(path);
        return Read(reader, path);
    }

    /// <summary>Reads a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">What errors call the file.</param>
    /// <exception cref="InvalidDataException">The text is no such file; the message names file, line and field.</exception>
    public static PropositionSet Read(TextReader text, string name)
    {
        ArgumentNullException.ThrowIfNull(text);
        var yaml = new YamlStream();
        try
        {
            yaml.Load(text);
        }
        catch (YamlException problem)
        {
            throw new InvalidDataException($"{name}:{problem.Start.Line}: not valid YAML ({problem.Message}).", problem);
        }
        catch (Exception problem) when (problem is not IOException)
        {
            // The library answers some broken texts with whatever went wrong inside it.
            throw new InvalidDataException($"{name}: not valid YAML ({problem.Message}).", problem);
        }

        if (yaml.Documents is not [{ RootNode: YamlMappingNode root }, ..]) throw new InvalidDataException($"{name}: not a file of propositions: it must be a mapping with 'simple_propositions'.");
        var file = new Fields(name);
        var weights = file.Mapping(root, "weights") is { } given ? given.Children.ToDictionary(entry => file.Text(entry.Key), entry => file.Number(entry.Value, "weights"), StringComparer.Ordinal) : [];
        var asked = file.Mapping(root, "simple_propositions") ?? throw new InvalidDataException($"{name}: field 'simple_propositions' is missing.");
        Proposition[] propositions = [.. asked.Children.Select(entry =>
        {
            var (key, body) = (file.Text(entry.Key), entry.Value as YamlMappingNode ?? throw file.Invalid(entry.Value, file.Text(entry.Key), "must hold a 'prompt'"));
            var prompt = Find(body, "prompt") ?? throw file.Invalid(body, key, "has no 'prompt'");
            return new Proposition(key, file.Text(prompt), Weight(body, key), Find(body, "needed") is not { } needed || file.Bool(needed, key));
        })];
        DerivedProposition[] derived = [.. Entries(file.Mapping(root, "derived_propositions")).Select(entry => new DerivedProposition(file.Text(entry.Key), file.Conditions(entry.Value, file.Text(entry.Key)), weights.GetValueOrDefault(file.Text(entry.Key))))];
        CompletionClass[] classes =
        [
            .. Entries(file.Mapping(root, "completion_classes")).SelectMany(group => Entries(group.Value as YamlMappingNode ?? throw file.Invalid(group.Value, file.Text(group.Key), "must hold response types"))
                .Select(entry => new CompletionClass(file.Text(group.Key), file.Text(entry.Key), file.Conditions(entry.Value, file.Text(entry.Key))))),
        ];
        string[] order = [.. (Find(root, "completion_class_order") as YamlSequenceNode)?.Children.Select(file.Text) ?? []];
        try
        {
            foreach (var unknown in weights.Keys.Except(propositions.Select(one => one.Name).Concat(derived.Select(one => one.Name))).Take(1))
                throw new InvalidDataException($"{name}: field 'weights' names '{unknown}', which is no proposition.");
            return new(propositions, derived, classes, order);
        }
        catch (ArgumentException problem)
        {
            throw new InvalidDataException($"{name}: {problem.Message.Split(" (Parameter")[0]}", problem);
        }

        double Weight(YamlMappingNode body, string key) => Find(body, "weight") is { } weight ? file.Number(weight, key) : weights.GetValueOrDefault(key);
    }

    private static IEnumerable<KeyValuePair<YamlNode, YamlNode>> Entries(YamlMappingNode? map) => map is null ? [] : map.Children;

    private static YamlNode? Find(YamlMappingNode map, string key) => map.Children.FirstOrDefault(entry => entry.Key is YamlScalarNode scalar && scalar.Value == key).Value;

    private sealed class Fields(string name)
    {
        public InvalidDataException Invalid(YamlNode at, string field, string rule) => new($"{name}:{at.Start.Line}: field '{field}' {rule}.");

        public YamlMappingNode? Mapping(YamlMappingNode root, string key) => Find(root, key) switch
        {
            null => null,
            YamlMappingNode map => map,
            var other => throw Invalid(other, key, "must be a mapping"),
        };

        public string Text(YamlNode node) => node is YamlScalarNode { Value: { } value } ? value : throw Invalid(node, node.NodeType.ToString(), "must be a text");

        public double Number(YamlNode node, string field) =>
            double.TryParse(Text(node), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : throw Invalid(node, field, "needs a number as weight");

        public bool Bool(YamlNode node, string field) => Text(node) switch { "true" or "True" => true, "false" or "False" => false, _ => throw Invalid(node, field, "needs true or false") };

        public Dictionary<string, bool> Conditions(YamlNode node, string field) =>
            node is YamlMappingNode map ? map.Children.ToDictionary(entry => Text(entry.Key), entry => Bool(entry.Value, field), StringComparer.Ordinal) : throw Invalid(node, field, "must say which propositions are true or false");
    }
}
