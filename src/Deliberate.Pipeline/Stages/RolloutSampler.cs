using Deliberate.Conversations;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;

namespace Deliberate.Pipeline.Stages;

/// <summary>One sampled completion as tokens and as text.</summary>
/// <param name="Tokens">Prompt and completion, with the end token where one was sampled.</param>
/// <param name="PromptLength">How many of them are the prompt.</param>
/// <param name="Completion">The completion as text.</param>
internal sealed record Sampled(int[] Tokens, int PromptLength, Completion Completion);

/// <summary>Samples completions of the current policy model, whose parameters change between steps.</summary>
/// <param name="start">The parameters to begin with.</param>
/// <param name="format">How conversations become tokens.</param>
/// <param name="mostTokens">Most tokens of a completion.</param>
internal sealed class RolloutSampler(ModelWeights start, IPromptFormat format, int mostTokens) : IDisposable
{
    private readonly Generator _generator = new(start);

    /// <summary>Takes the parameters after a step.</summary>
    public void Load(ModelWeights weights) => _generator.Load(weights);

    /// <summary>Samples <paramref name="count"/> completions of each prompt, prompt by prompt. Temperature 0 takes the most likely tokens.</summary>
    public Sampled[] Sample(IReadOnlyList<Prompt> prompts, int count, float temperature, int seed, CancellationToken cancel)
    {
        var written = prompts.Select(prompt => format.Prompt(prompt.Conversation.ToMessages())).ToArray();
        var requests = prompts.SelectMany((prompt, number) => Enumerable.Range(0, count).Select(index => new GenerationRequest
        {
            Prompt = written[number].Tokens,
            MaxNewTokens = mostTokens,
            Temperature = temperature,
            Seed = CallSeed.Derive(seed, prompt.Id, index),
            StopTokens = format.StopTokens,
        })).ToArray();
        var results = _generator.Generate(requests, cancel: cancel);
        return [.. results.Select((result, i) =>
        {
            // Where several tokens end a turn, the first is the one that training teaches.
            int[] tokens = [.. requests[i].Prompt, .. result.Tokens, .. result.Truncated ? Array.Empty<int>() : [format.StopTokens[0]]];
            return new Sampled(tokens, requests[i].Prompt.Length, format.Read(result.Tokens, written[i / count], result.Truncated));
        })];
    }

    public void Dispose() => _generator.Dispose();
}
