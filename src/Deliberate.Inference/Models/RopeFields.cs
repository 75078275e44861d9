namespace Deliberate.Inference.Models;

/// <summary>Rotary options of a <c>config.json</c>, of either generation.</summary>
internal sealed record RopeFields(float Theta, RopeScaling Scaling, float? LocalTheta)
{
    private static readonly HashSet<string> None = [];

    public static RopeFields Read(ConfigObject root, FamilyDefaults family, int positions)
    {
        var old = root.Real("rope_theta", family.Theta);
        var oldLocal = family.Family == ModelFamily.Gemma3 ? root.Real("rope_local_base_freq", 10_000) : 0;
        WholeHead(root);
        if (root.Flag("rope_interleaved", false)) throw root.Error("rope_interleaved", "is true; heads are turned by halves here");
        var parameters = root.Object("rope_parameters");
        if (parameters is null || family.Family != ModelFamily.Gemma3 || !(parameters.Has("full_attention") || parameters.Has("sliding_attention")))
        {
            var (theta, scaling) = One(parameters ?? root.Object("rope_scaling"), old, positions, root);
            return new((float)theta, scaling, family.Family == ModelFamily.Gemma3 ? (float)oldLocal : null);
        }

        var (global, globalScaling) = One(parameters.Object("full_attention"), old, positions, root);
        var (local, localScaling) = One(parameters.Object("sliding_attention"), oldLocal, positions, root);
        if (localScaling != RopeScaling.None) throw parameters.Error("sliding_attention", "scales its frequencies; only full layers may");
        parameters.RefuseOthers(None);
        return new((float)global, globalScaling, (float)local);
    }

    private static (double Theta, RopeScaling Scaling) One(ConfigObject? fields, double theta, int positions, ConfigObject root)
    {
        if (fields is null) return (theta, RopeScaling.None);
        theta = fields.Real("rope_theta", theta);
        WholeHead(fields);
        var type = fields.Text("rope_type");
        var older = fields.Text("type");
        type ??= older ?? "default";
        var scaling = type switch
        {
            "default" => RopeScaling.None,
            "linear" => new RopeScaling { Type = RopeScalingType.Linear, Factor = fields.Real("factor") },
            "llama3" => Llama3(fields),
            "yarn" => Yarn(fields, theta, fields.NumberOrNone("original_max_position_embeddings") ?? root.NumberOrNone("original_max_position_embeddings") ?? positions),
            _ => throw fields.Error("rope_type", $"is '{type}'; default, linear, llama3 and yarn are computed"),
        };
        fields.RefuseOthers(None);
        return (theta, scaling);
    }

    private static RopeScaling Llama3(ConfigObject fields)
    {
        var scaling = new RopeScaling
        {
            Type = RopeScalingType.Llama3,
            Factor = fields.Real("factor"),
            OriginalPositions = fields.Number("original_max_position_embeddings"),
            LowFrequency = fields.Real("low_freq_factor"),
            HighFrequency = fields.Real("high_freq_factor"),
        };
        return scaling.HighFrequency > scaling.LowFrequency ? scaling : throw fields.Error("high_freq_factor", "is not above low_freq_factor");
    }

    private static RopeScaling Yarn(ConfigObject fields, double theta, int original)
    {
        if (theta <= 1) throw fields.Error("rope_theta", "is at most 1; yarn needs a larger base");
        var factor = fields.Real("factor");
        var (mscale, all) = (fields.RealOrNone("mscale"), fields.RealOrNone("mscale_all_dim"));
        var byFactor = mscale is { } one && all is { } other ? RopeScaling.YarnAttention(factor, one) / RopeScaling.YarnAttention(factor, other) : RopeScaling.YarnAttention(factor);
        return new()
        {
            Type = RopeScalingType.Yarn,
            Factor = factor,
            OriginalPositions = original,
            BetaFast = fields.Real("beta_fast", 32),
            BetaSlow = fields.Real("beta_slow", 1),
            Truncate = fields.Flag("truncate", true),
            AttentionFactor = fields.RealOrNone("attention_factor") ?? byFactor,
        };
    }

    private static void WholeHead(ConfigObject fields)
    {
        if (fields.Real("partial_rotary_factor", 1) != 1) throw fields.Error("partial_rotary_factor", "is not 1; only whole heads are turned");
    }
}
