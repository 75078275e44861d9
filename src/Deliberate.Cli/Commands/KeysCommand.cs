using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Server.Access;

namespace Deliberate.Cli.Commands;

/// <summary><c>keys</c>: who may use a server, and for what.</summary>
internal sealed class KeysCommand : Command
{
    public KeysCommand(Terminal terminal) : base("keys", "Make, list and withdraw the keys of a server.")
    {
        Add(new AddCommand(terminal));
        Add(new ListCommand(terminal));
        Add(new RemoveCommand(terminal));
    }

    private static Option<string> Folder() => new("--folder") { HelpName = "FOLDER", Description = "The server's folder.", DefaultValueFactory = _ => ServeCommand.DefaultFolder };

    private static KeyFile Open(string folder) => new(Path.Combine(folder, ServeCommand.KeyFileName));

    private sealed class AddCommand : Command
    {
        public AddCommand(Terminal terminal) : base("add", "Make a key and print it, once.")
        {
            var name = new Argument<string>("NAME") { Description = "Whose key it is, or what it is for." };
            var rights = new Option<string>("--rights") { HelpName = "A,B,...", Description = $"What it may do, of {string.Join(", ", Rights.All)}.", DefaultValueFactory = _ => Rights.Chat };
            var folder = Folder();
            Arguments.Add(name);
            Options.Add(rights);
            Options.Add(folder);
            SetAction(parse =>
            {
                var list = parse.GetRequiredValue(rights).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                var (key, text) = Open(parse.GetRequiredValue(folder)).Add(parse.GetRequiredValue(name), list, TimeProvider.System.GetUtcNow());
                terminal.Note($"key {key.Id} of {key.Name}, with the rights {string.Join(", ", key.Rights)}; it is not shown again:");
                terminal.Results.WriteLine(text);
            });
        }
    }

    private sealed class ListCommand : Command
    {
        public ListCommand(Terminal terminal) : base("list", "List the keys, without the keys themselves.")
        {
            var folder = Folder();
            Options.Add(folder);
            SetAction(parse =>
            {
                foreach (var key in Open(parse.GetRequiredValue(folder)).Keys)
                    terminal.Results.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{key.Id}  {key.Created:yyyy-MM-dd}  {string.Join(',', key.Rights)}  {key.Name}"));
            });
        }
    }

    private sealed class RemoveCommand : Command
    {
        public RemoveCommand(Terminal terminal) : base("remove", "Withdraw a key. A running server refuses it at once.")
        {
            var id = new Argument<string>("ID") { Description = "The key's id, as keys list prints it." };
            var folder = Folder();
            Arguments.Add(id);
            Options.Add(folder);
            SetAction(parse =>
            {
                var (file, name) = (Open(parse.GetRequiredValue(folder)), parse.GetRequiredValue(id));
                if (!file.Remove(name)) throw new ArgumentException($"there is no key '{name}' in {parse.GetRequiredValue(folder)}; list them with `deliberate keys list`.");
                terminal.Note($"key {name} is withdrawn.");
            });
        }
    }
}
