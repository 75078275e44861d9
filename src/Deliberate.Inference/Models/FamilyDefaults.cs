namespace Deliberate.Inference.Models;

/// <summary>What a family's configuration means where a field is absent, as transformers has it; null: what the heads give.</summary>
internal sealed record FamilyDefaults(ModelFamily Family, int? KvHeads = null, int? HeadDim = null, double Eps = 1e-6, double Theta = 10_000, bool Ties = false, int? Window = null, bool HasBias = true)
{
    public static readonly FamilyDefaults Llama = new(ModelFamily.Llama);
    public static readonly FamilyDefaults Mistral = new(ModelFamily.Mistral, KvHeads: 8, Window: 4096, HasBias: false);
    public static readonly FamilyDefaults Qwen2 = new(ModelFamily.Qwen2, KvHeads: 32, Window: 4096, HasBias: false);
    public static readonly FamilyDefaults Qwen3 = new(ModelFamily.Qwen3, KvHeads: 32, HeadDim: 128, Window: 4096);
    public static readonly FamilyDefaults SmolLM3 = new(ModelFamily.SmolLM3, KvHeads: 4, Theta: 2_000_000, Ties: true);
    public static readonly FamilyDefaults Gemma2 = new(ModelFamily.Gemma2, KvHeads: 4, HeadDim: 256, Ties: true, Window: 4096);
    public static readonly FamilyDefaults Gemma3 = new(ModelFamily.Gemma3, KvHeads: 4, HeadDim: 256, Theta: 1_000_000, Ties: true, Window: 4096);
    public static readonly FamilyDefaults Phi3 = new(ModelFamily.Phi3, Eps: 1e-5, HasBias: false);
    public static readonly FamilyDefaults Olmo2 = new(ModelFamily.Olmo2, Eps: 1e-5);
}
