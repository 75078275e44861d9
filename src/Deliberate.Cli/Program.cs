using System.Globalization;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Pretraining;
using Deliberate.Training.Decoding;
using Deliberate.Training.Pretraining;
using static TorchSharp.torch;

var folder = args[0];
var tokenizer = BpeTokenizer.Load(Path.Combine(folder, "tokenizer.json"));
var config = new ModelConfig { VocabSize = tokenizer.VocabSize, HiddenSize = 192, Layers = 6, Heads = 6, KvHeads = 3, HeadDim = 32, FeedForward = 512, MaxPositions = 1024 };
var weights = Checkpoint.LoadWeights(folder, config);
if (args[1] == "codes")
{
    using var gen = new Deliberate.Inference.Generation.Generator(weights);
    var test = new PretrainingRows(tokenizer, 4242);
    foreach (var difficulty in new[] { 0.05, 0.2, 1.0 })
    {
        int right = 0, all = 0; double nll = 0;
        for (var i = 0; i < 60; i++)
        {
            var r = test.Row(i, difficulty);
            var logits = gen.Logits(r.Tokens);
            for (var t = 1; t < r.Tokens.Length; t++)
            {
                if (r.LossWeights[t] != 6 || r.LossWeights[t - 1] == 6) continue;
                var l = logits.AsSpan((t - 1) * config.VocabSize, config.VocabSize);
                all++;
                var best = 0; for (var v = 0; v < l.Length; v++) if (l[v] > l[best]) best = v;
                if (best == r.Tokens[t]) right++;
                double sum = 0; foreach (var v in l) sum += Math.Exp(v - l[best]);
                nll += Math.Log(sum) - (l[r.Tokens[t]] - l[best]);
            }
        }
        Console.WriteLine($"difficulty {difficulty}: code {100.0 * right / all:F1} % of {all}, nll {nll / all:F3}");
    }
    return;
}
if (args[1] == "train")
{
    double D(int i) => double.Parse(args[i], CultureInfo.InvariantCulture);
    var easy = D(7);
    var pre = new PretrainingRows(tokenizer, 5);
    var save = args[3]; Directory.CreateDirectory(save);
    if (!File.Exists(Path.Combine(save, "tokenizer.json"))) File.Copy(Path.Combine(folder, "tokenizer.json"), Path.Combine(save, "tokenizer.json"));
    Pretrainer.Train(config, (index, p) => pre.Row(index, p < easy ? 0.1 + 0.2 * p / easy : 1), new PretrainOptions { CheckpointFolder = save, Minutes = D(2), MuonLearningRate = D(4), AdamLearningRate = D(5), TokensPerStep = (int)D(6), DecayFrom = D(8), Start = args[9] == "fresh" ? null : weights, CheckpointMinutes = 2 },
        p => { if (p.Step % 10 == 0) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {p.Step} {p.Progress:P1} loss {p.Loss:F4} {p.Tokens / 1e6:F2}M tokens {p.TokensPerSecond:F0} tok/s {p.Minutes:F1} min")); });
    return;
}
using var generator = new Deliberate.Inference.Generation.Generator(weights, new GeneratorOptions());
var rows = new PretrainingRows(tokenizer, 99);
var row = rows.Row(5, 1).Tokens[..300];
var mine = generator.Logits(row);
using (var decoder = new Decoder(weights, bf16: false))
using (no_grad())
{
    var theirs = decoder.Logits(decoder.Hidden(tensor(row.Select(t => (long)t).ToArray(), [1, row.Length]))[0]).data<float>().ToArray();
    Console.WriteLine($"max difference {mine.Zip(theirs, (a, b) => Math.Abs(a - b)).Max()} of {theirs.Max(Math.Abs)}");
}
if (args[1] == "probe") {
var rnd = new Random(7);
for (var i = 0; i < 6; i++)
{
    var category = Deliberate.Miniature.World.RequestSampler.Pick(rnd, Deliberate.Miniature.World.Topic.Categories);
    var policy = RandomPolicies.Draw(rnd, category, i < 3 ? 0.05 : 1);
    var request = Deliberate.Miniature.World.RequestSampler.DrawUnder(rnd, policy, category, new(0, 0, 0, 0));
    var prompt = new Deliberate.Miniature.Language.Transcript(tokenizer).System(policy.Render([.. policy.Clauses.Select(c => c.Category).Distinct()])).User(request.Text).ToPrompt();
    var result = generator.Generate([new GenerationRequest { Prompt = prompt, Temperature = 0, StopTokens = [0 + tokenizer.TokenId("<|end|>")] }])[0];
    Console.WriteLine(tokenizer.Decode(prompt, false));
    Console.WriteLine("  ==> " + tokenizer.Decode(result.Tokens, false));
    Console.WriteLine("  want " + Deliberate.Miniature.Language.Thoughts.Under(policy, request));
}
return; }
var n = int.Parse(args[1], CultureInfo.InvariantCulture);
var measure = new BaseAbilities(generator, tokenizer, 12345);
void Show(string title, IReadOnlyDictionary<string, Deliberate.Evaluation.Metric> metrics, double seconds)
{
    Console.WriteLine($"{title} ({seconds:F1} s)");
    foreach (var (name, m) in metrics) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-60} {m.Value:P1} [{m.Low:P1}, {m.High:P1}] n={m.N}"));
}
var clock = System.Diagnostics.Stopwatch.StartNew();
Show("follow", measure.Follow(n), clock.Elapsed.TotalSeconds); clock.Restart();
Show("judge", measure.Judge(n / 7, 4), clock.Elapsed.TotalSeconds); clock.Restart();
Show("judge with thought", measure.Judge(n / 7, 1, true), clock.Elapsed.TotalSeconds); clock.Restart();
Show("help", measure.Help(n), clock.Elapsed.TotalSeconds);
