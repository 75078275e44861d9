using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Deliberate.Inference.Generation;

/// <summary>
/// How one row of a panel (one input's weights for neighbouring outputs) lies in memory, and how it becomes fp32 in registers.
/// The kernels are written once over this.
/// </summary>
internal unsafe interface IPanelFormat
{
    /// <summary>Bytes of one weight.</summary>
    static abstract int Size { get; }

    /// <summary>Whether sums are multiplied by a scale of their output at the end.</summary>
    static abstract bool Scaled { get; }

    /// <summary>The first 8 of 16 weights.</summary>
    static abstract Vector256<float> Low(byte* w);

    /// <summary>The other 8.</summary>
    static abstract Vector256<float> High(byte* w);

    /// <summary>The first 16 of 32 weights.</summary>
    static abstract Vector512<float> WideLow(byte* w);

    /// <summary>The other 16.</summary>
    static abstract Vector512<float> WideHigh(byte* w);
}

/// <summary>fp32 in order.</summary>
internal readonly unsafe struct Fp32Panel : IPanelFormat
{
    public static int Size => 4;

    public static bool Scaled => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Low(byte* w) => Vector256.Load((float*)w);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> High(byte* w) => Vector256.Load((float*)w + 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WideLow(byte* w) => Vector512.Load((float*)w);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WideHigh(byte* w) => Vector512.Load((float*)w + 16);
}

/// <summary>bf16, a weight of the first half and its partner of the other in one number, so that widening is a shift or a mask.</summary>
internal readonly unsafe struct Bf16Panel : IPanelFormat
{
    public static int Size => 2;

    public static bool Scaled => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Low(byte* w) => Vector256.ShiftLeft(Vector256.Load((uint*)w), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> High(byte* w) => (Vector256.Load((uint*)w) & Vector256.Create(0xFFFF0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WideLow(byte* w) => Vector512.ShiftLeft(Vector512.Load((uint*)w), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WideHigh(byte* w) => (Vector512.Load((uint*)w) & Vector512.Create(0xFFFF0000u)).AsSingle();
}

/// <summary>Signed bytes in order; a weight is its byte times the scale of its output and group.</summary>
internal readonly unsafe struct Int8Panel : IPanelFormat
{
    public static int Size => 1;

    public static bool Scaled => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Low(byte* w) =>
        Vector256.ConvertToSingle(Avx2.IsSupported ? Avx2.ConvertToVector256Int32((sbyte*)w) : Widen((sbyte*)w));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> High(byte* w) => Low(w + 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WideLow(byte* w) =>
        Avx512F.IsSupported ? Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)w))) : Vector512.Create(Low(w), Low(w + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WideHigh(byte* w) => WideLow(w + 16);

    private static Vector256<int> Widen(sbyte* w)
    {
        var words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)w).AsSByte());
        return Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words));
    }
}
