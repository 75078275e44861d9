using static TorchSharp.torch;

namespace Deliberate.Training.Native;

/// <summary>
/// Operators that TorchSharp does not expose, reached through constant TorchScript. A script that does not compile would end
/// the process, so none is ever built from user text.
/// </summary>
internal static class NativeOps
{
    private const string Script = """
        def rms(x, w, eps: float):
            return torch.rms_norm(x, [x.size(-1)], w, eps)

        def gelu(x):
            return torch.gelu(x, approximate="tanh")

        def adamw(p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], s: List[Tensor], lr: float, b1: float, b2: float, decay: float, eps: float):
            torch._foreach_add_(s, 1.0)
            torch._fused_adamw_(p, g, m, v, [], s, lr=lr, beta1=b1, beta2=b2, weight_decay=decay, eps=eps, amsgrad=False, maximize=False)
            return p[0]

        """;

    private static readonly Lazy<jit.CompilationUnit> Unit = new(() =>
    {
        TorchLibrary.Initialize();
        return jit.compile(Script);
    });

    /// <summary>RMSNorm over the last dimension, as one operator. (..., d), (d) -> (..., d)</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double eps) => (Tensor)Unit.Value.invoke("rms", x, weight, eps);

    /// <summary>GELU by its tanh approximation.</summary>
    public static Tensor GeluTanh(Tensor x) => (Tensor)Unit.Value.invoke("gelu", x);

    /// <summary>One AdamW step over all tensors at once, in place.</summary>
    public static void AdamW(Tensor[] parameters, Tensor[] gradients, Tensor[] means, Tensor[] squares, Tensor[] steps, double learningRate, double beta1, double beta2, double decay, double eps) =>
        ((Tensor)Unit.Value.invoke("adamw", parameters, gradients, means, squares, steps, learningRate, beta1, beta2, decay, eps)).Dispose();
}
