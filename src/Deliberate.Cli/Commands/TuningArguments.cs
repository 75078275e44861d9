using System.CommandLine;
using Deliberate.Pipeline.Data;

namespace Deliberate.Cli.Commands;

/// <summary>The options of <c>sft</c> and <c>rl</c> for a model of this machine and prompts of the user's own.</summary>
internal sealed class TuningArguments
{
    private static readonly TuningOptions Usual = new();
    private static readonly Dictionary<string, RewardKind> Rewards = new() { ["judge"] = RewardKind.Judge, ["labels"] = RewardKind.Labels };

    private readonly Option<bool> _full = new("--full") { Description = "With --prompts: train all weights instead of low-rank adapters." };
    private readonly Option<bool> _instant = new("--instant") { Description = "With --prompts: also train a control that learns the answers without their thoughts (arm instant-refusal)." };
    private readonly Option<int> _rank = OptionsOf.Number("--lora-rank", "With --prompts: rank of the adapters.", 1, Usual.Rank);
    private readonly Option<double> _epochs = OptionsOf.Positive("--epochs", "With --prompts: passes over the examples in SFT.", Usual.Epochs);
    private readonly Option<double> _rate = OptionsOf.Positive("--learning-rate", "With --prompts: peak learning rate of SFT. [default: 2e-4 for adapters, 2e-5 for all weights]", 0);
    private readonly Option<int> _rowTokens = OptionsOf.Number("--row-tokens", "With --prompts: longer examples are left out of SFT.", 16, Usual.RowTokens);
    private readonly Option<int> _stepTokens = OptionsOf.Number("--step-tokens", "With --prompts: tokens of one optimiser step of SFT.", 16, Usual.TokensPerStep);
    private readonly Option<int> _rlSteps = OptionsOf.Number("--rl-steps", "With --prompts: steps of reinforcement learning.", 0, Usual.RlSteps);
    private readonly Option<int> _rlPrompts = OptionsOf.Number("--rl-prompts", "With --prompts: prompts of one step of reinforcement learning.", 1, Usual.RlPrompts);
    private readonly Option<int> _group = OptionsOf.Number("--group-size", "With --prompts: rollouts of each prompt.", 2, Usual.GroupSize);
    private readonly Option<double> _rlRate = OptionsOf.Positive("--rl-learning-rate", "With --prompts: learning rate of reinforcement learning. [default: 1e-4 for adapters, 1e-6 for all weights]", 0);
    private readonly Option<double> _kl = OptionsOf.Share("--kl", "With --prompts: weight of the divergence from the model after SFT.", Usual.Kl);
    private readonly Option<int> _rlTokens = OptionsOf.Number("--rl-tokens", "With --prompts: most tokens of a rollout.", 1, Usual.RlTokens);
    private readonly Option<RewardKind> _reward = OptionsOf.Choice("--reward", "With --prompts: what rewards answers: the judge, or the labels of the prompts (unsafe ones are to be refused, safe ones answered). [default: judge]", Rewards);
    private readonly Option<string> _device = new("--device") { HelpName = "cpu|cuda", Description = "With --prompts: where to train.", DefaultValueFactory = _ => Usual.Device };

    public TuningArguments()
    {
        _rate.DefaultValueFactory = _ => 0;
        _rlRate.DefaultValueFactory = _ => 0;
    }

    /// <summary>The options.</summary>
    public IReadOnlyList<Option> All => [_full, _instant, _rank, _epochs, _rate, _rowTokens, _stepTokens, _rlSteps, _rlPrompts, _group, _rlRate, _kl, _rlTokens, _reward, _device];

    /// <summary>The options as the pipeline takes them.</summary>
    public TuningOptions Read(ParseResult parse) => new()
    {
        Full = parse.GetValue(_full),
        Instant = parse.GetValue(_instant),
        Rank = parse.GetValue(_rank),
        Epochs = parse.GetValue(_epochs),
        LearningRate = parse.GetValue(_rate) is > 0 and var rate ? rate : null,
        RowTokens = parse.GetValue(_rowTokens),
        TokensPerStep = parse.GetValue(_stepTokens),
        RlSteps = parse.GetValue(_rlSteps),
        RlPrompts = parse.GetValue(_rlPrompts),
        GroupSize = parse.GetValue(_group),
        RlLearningRate = parse.GetValue(_rlRate) is > 0 and var rlRate ? rlRate : null,
        Kl = parse.GetValue(_kl),
        RlTokens = parse.GetValue(_rlTokens),
        Reward = parse.GetValue(_reward),
        Device = parse.GetRequiredValue(_device),
    };
}
