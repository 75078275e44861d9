using System.Globalization;
using Deliberate.Runs.Store;
using Deliberate.StoreHost;

// Works on prompts through a run store and tells of every step on standard output, so that a test can kill it at any of them:
//   STORE RUN PROMPTS CONCURRENCY
// "call I": the model is asked; "ack I TEXT": the response was handed back, so it must be on disk; "done": all prompts are.
// Or appends exchanges to an audit log, each "ack ID" when it is on disk: audit FOLDER COUNT CONCURRENCY.
if (args[0] == "audit")
{
    await AuditWork.RunAsync(args[1], int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture));
    return;
}

var (path, run, prompts, concurrency) = (args[0], args[1], int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture));
using var store = ResponseStore.Open(path);
var output = Console.Out;
using var model = new TellingClient(line => WriteLine(line));
using var client = model.UseResponseStore(store, new StoreContext(run, "generate", "host-1"));
var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency };
await Parallel.ForAsync(0, prompts, options, async (number, token) =>
{
    using var call = new CallDetails($"p{number}").Enter();
    var response = await client.GetResponseAsync(TellingClient.Prompt(number), null, token);
    WriteLine($"ack {number} {response.Text}");
});
WriteLine("done");

void WriteLine(string line)
{
    // One write a line: a kill may cut the last, never mix two.
    lock (output) output.Write(line + "\n");
}
