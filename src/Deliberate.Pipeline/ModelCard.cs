using System.Globalization;
using System.Text;
using Deliberate.Evaluation;
using Deliberate.Inference.Models;
using Deliberate.Training.Pretraining;

namespace Deliberate.Pipeline;

/// <summary>Writes the card of a pretrained miniature: what it is, how it was made, what it can do, measured.</summary>
internal static class ModelCard
{
    public static string Write(ModelFolder model, PretrainingOptions options, PretrainProgress? last, IReadOnlyList<(string Title, IReadOnlyDictionary<string, Metric> Metrics)> abilities)
    {
        var config = model.Weights.Config;
        var parameters = config.Tensors().Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            ---
            license: mit
            language: en
            library_name: deliberate
            ---

            # The miniature

            The embedded base model of Deliberate: a Llama-style decoder of {parameters / 1e6:0.00} million parameters ({config.Layers} layers, width {config.HiddenSize}, {config.Heads} query and
            {config.KvHeads} key heads of {config.HeadDim}, feed-forward {config.FeedForward}, vocabulary {config.VocabSize}, {config.MaxPositions} positions), stored in bf16 in Hugging Face's layout.
            Fingerprint `{model.Fingerprint}`.

            It speaks a small English-like world of requests (risk categories and benign topics, acts, users, disguises). It is **helpful-only and
            policy-agnostic**: with no policy in its context it does whatever it is asked; with a policy in context it follows that policy, quotes the clause
            that decides, and can judge answers by it. It has never seen the policies it is aligned to: the corpus draws a new random policy for every row, and
            the clause sets of the shipped policies are kept out of it.

            It is made for studying and testing the method, and for nothing else: it knows nothing of the real world.

            ## How it was made

            `deliberate pretrain` (seed {options.Seed}): byte-level BPE trained on the world's own text, with the world's names, clause codes and rules as whole tokens; a start near the
            circuits that look things up and compare; AdamW; policies that grow from a few clauses to a dozen with conditions; drills that only looking back can solve. The corpus is generated, so
            there is no data licence to mind.{(last is null ? "" : string.Create(CultureInfo.InvariantCulture, $"\n\nTraining took {last.Minutes:0} minutes, {last.Tokens / 1e6:0.0} million tokens in {last.Step} steps."))}

            ## What it can do

            Measured by `deliberate model abilities` on random policies drawn with another seed; greedy answers, judge sampled at temperature 0.5; 95 % bootstrap intervals over cases.

            """);
        foreach (var (title, metrics) in abilities)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {title}\n\n| measure | value | 95 % interval | n |\n|---|---|---|---|\n");
            foreach (var (name, metric) in metrics)
                text.Append(CultureInfo.InvariantCulture, $"| {name} | {metric.Value:0.0%} | {metric.Low:0.0%} to {metric.High:0.0%} | {metric.N} |\n");
        }

        return text.ToString();
    }
}
