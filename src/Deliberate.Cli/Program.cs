using Deliberate.Cli;
using Deliberate.Cli.Interaction;

var terminal = Terminal.OfConsole();
using var interruption = new Interruption(terminal);
return await new Application(terminal).RunAsync(args, interruption.Token);
