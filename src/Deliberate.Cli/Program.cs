using System.Globalization;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.Pretraining;
using Deliberate.Training.Pretraining;

var folder = args[0];
Directory.CreateDirectory(folder);
var tokenizerPath = Path.Combine(folder, "tokenizer.json");
if (!File.Exists(tokenizerPath)) MiniatureTokenizer.Train(1).Save(tokenizerPath);
var tokenizer = BpeTokenizer.Load(tokenizerPath);
var rows = new PretrainingRows(tokenizer, 1);
if (args.Length > 2 && args[2] == "show")
{
    long tok = 0; var sw = System.Diagnostics.Stopwatch.StartNew(); double w = 0;
    for (var i = 0; i < 400; i++) { var r = rows.Row(i, 1); tok += r.Tokens.Length; w += r.LossWeights.Count(x => x == 1f); }
    Console.WriteLine($"{tok / 400.0} tokens a row, learned share {w / tok}, {tok / sw.Elapsed.TotalSeconds:F0} tokens/s");
    Console.WriteLine(tokenizer.Decode(rows.Row(int.Parse(args[3], CultureInfo.InvariantCulture), 1).Tokens, false));
    Console.WriteLine(string.Join('|', rows.Row(int.Parse(args[3], CultureInfo.InvariantCulture), 1).Tokens.Select(t => tokenizer.Decode([t], false))));
    return;
}
var config = new ModelConfig { VocabSize = tokenizer.VocabSize, HiddenSize = 192, Layers = 6, Heads = 6, KvHeads = 3, HeadDim = 32, FeedForward = 512, MaxPositions = 1024 };
var mb = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 4096;
Pretrainer.Train(config, rows.Row, new PretrainOptions { CheckpointFolder = folder, Minutes = double.Parse(args[1], CultureInfo.InvariantCulture), MicroBatchTokens = mb },
    p => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {p.Step} {p.Progress:P1} loss {p.Loss:F4} {p.Tokens / 1e6:F2}M tokens {p.TokensPerSecond:F0} tok/s {p.Minutes:F1} min")));
