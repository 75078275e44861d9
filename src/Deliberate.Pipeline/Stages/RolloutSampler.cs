using Deliberate.Conversations;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Pipeline.Stages;

/// <summary>One sampled completion as tokens and as text.</summary>
/// <param name="Tokens">Prompt and completion, with the end token where one was sampled.</param>
/// <param name="PromptLength">How many of them are the prompt.</param>
/// <param name="Completion">The completion as text.</param>
internal sealed record Sampled(int[] Tokens, int PromptLength, Completion Completion);

/// <summary>Samples completions of the current policy model, whose parameters change between steps.</summary>
internal sealed class RolloutSampler(ModelWeights start, BpeTokenizer tokenizer) : IDisposable
{
    private readonly Generator _generator = new(start);
    private readonly ChatFormat _format = new(tokenizer);

    /// <summary>Takes the parameters after a step.</summary>
    public void Load(ModelWeights weights) => _generator.Load(weights);

    /// <summary>Samples <paramref name="count"/> completions of each prompt, prompt by prompt. Temperature 0 takes the most likely tokens.</summary>
    public Sampled[] Sample(IReadOnlyList<Prompt> prompts, int count, float temperature, int seed, CancellationToken cancel)
    {
        var requests = prompts.SelectMany(prompt =>
        {
            var tokens = _format.Prompt(prompt.Conversation.ToMessages());
            return Enumerable.Range(0, count).Select(index => new GenerationRequest
            {
                Prompt = tokens,
                MaxNewTokens = Limits.CompletionTokens,
                Temperature = temperature,
                Seed = CallSeed.Derive(seed, prompt.Id, index),
                StopTokens = [_format.End],
            });
        }).ToArray();
        var results = _generator.Generate(requests, cancel: cancel);
        return [.. results.Select((result, i) =>
        {
            var (thinking, answer) = _format.Read(result.Tokens);
            int[] tokens = [.. requests[i].Prompt, .. result.Tokens, .. result.Truncated ? Array.Empty<int>() : [_format.End]];
            return new Sampled(tokens, requests[i].Prompt.Length, new Completion(thinking, answer, result.Truncated));
        })];
    }

    public void Dispose() => _generator.Dispose();
}
