using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Deliberate.Training.Decoding.Host;

/// <summary>
/// Matrix products in fp32 for one thread, around one kernel that keeps a tile of results in registers: 6 x 16 of them where
/// vectors have 256 bits, 8 x 32 where they have 512. Blocks are sized so that one operand's panel lies in the first-level cache
/// and the other's block in the second.
/// </summary>
/// <remarks>Every result is summed in the same order whatever the number of rows and the width of vectors.</remarks>
internal static unsafe partial class Gemm
{
    /// <summary>Most rows of a tile.</summary>
    public static int TileRows => Vector512.IsHardwareAccelerated ? 8 : 6;

    /// <summary>Columns of a tile.</summary>
    public static int TileColumns => Vector512.IsHardwareAccelerated ? 32 : 16;

    /// <summary>Rows that are best multiplied in one go.</summary>
    public const int BlockRows = 192;

    // Terms of the sums that are added in one go.
    private const int MaxDepth = 256;

    /// <summary>Distance between rows of this many floats: whole cache lines, and an odd number of them so that columns spread over the cache's sets.</summary>
    public static int Stride(int width) => ((width + 15) / 16 | 1) * 16;

    /// <summary>Floats that a packed (k, n) matrix takes.</summary>
    public static long PackedSize(int k, int n) => (long)k * ((n + TileColumns - 1) / TileColumns * TileColumns);

    /// <summary>Floats of scratch that <see cref="AddOuter"/> needs.</summary>
    public static long OuterScratch(int n) => PackedSize(MaxDepth, n) + MaxDepth * BlockRows + 16;

    /// <summary>Packs b, whose element (i, j) is at <c>i * kStride + j * nStride</c>, for <see cref="Multiply"/>. (k, n)</summary>
    /// <remarks>Panels of a tile's columns, block by block of depth; columns beyond n are zero.</remarks>
    public static void Pack(int k, int n, float* b, nint kStride, nint nStride, float* packed)
    {
        var step = Depth(k);
        for (var k0 = 0; k0 < k; k0 += step)
        {
            var depth = Math.Min(step, k - k0);
            PackWhole(depth, n, b + k0 * kStride, kStride, nStride, packed);
            packed += PackedSize(depth, n);
        }
    }

    /// <summary>The same in one block, whatever its depth: panel after panel for <see cref="Tile"/>.</summary>
    public static void PackWhole(int k, int n, float* b, nint kStride, nint nStride, float* packed)
    {
        for (var j0 = 0; j0 < n; j0 += TileColumns, packed += (long)k * TileColumns)
        {
            var width = Math.Min(TileColumns, n - j0);
            var source = b + j0 * nStride;
            if (width == TileColumns && nStride == 1)
                PackColumns(k, source, kStride, packed);
            else
                for (var i = 0; i < k; i++)
                    for (var j = 0; j < TileColumns; j++)
                        packed[i * TileColumns + j] = j < width ? source[i * kStride + j * nStride] : 0;
        }
    }

    /// <summary>c = a b, or c += a b. (m, k) row by row, packed (k, n) -> (m, n)</summary>
    public static void Multiply(int m, int n, int k, float* a, nint aStride, float* packed, float* c, nint cStride, bool add)
    {
        var step = Depth(k);
        for (var k0 = 0; k0 < k; k0 += step)
        {
            var depth = Math.Min(step, k - k0);
            for (var i0 = 0; i0 < m; i0 += BlockRows)
            {
                var end = Math.Min(m, i0 + BlockRows);
                var panel = packed;
                for (var j0 = 0; j0 < n; j0 += TileColumns, panel += (long)depth * TileColumns)
                {
                    var width = Math.Min(TileColumns, n - j0);
                    for (var i = i0; i < end; i += TileRows)
                        Tile(depth, Math.Min(TileRows, end - i), width, a + i * aStride + k0, aStride, 1, panel, TileColumns, c + i * cStride + j0, cStride, add || k0 > 0);
                }
            }

            packed += PackedSize(depth, n);
        }
    }

    /// <summary>c += a^T b, with <see cref="OuterScratch"/> floats of scratch. (k, m) and (k, n), both row by row -> (m, n)</summary>
    public static void AddOuter(int m, int n, int k, float* a, nint aStride, float* b, nint bStride, float* c, nint cStride, float* scratch)
    {
        var step = Depth(k);
        var packedA = scratch + PackedSize(MaxDepth, n);
        for (var k0 = 0; k0 < k; k0 += step)
        {
            var depth = Math.Min(step, k - k0);
            PackWhole(depth, n, b + k0 * bStride, bStride, 1, scratch);
            for (var i0 = 0; i0 < m; i0 += BlockRows)
            {
                var end = Math.Min(m, i0 + BlockRows);
                for (var i = i0; i < end; i += TileRows) PackRows(depth, Math.Min(TileRows, end - i), a + k0 * aStride + i, aStride, packedA + (long)(i - i0) * depth);
                for (var j0 = 0; j0 < n; j0 += TileColumns)
                {
                    var panel = scratch + (long)depth * j0;
                    var width = Math.Min(TileColumns, n - j0);
                    for (var i = i0; i < end; i += TileRows)
                        Tile(depth, Math.Min(TileRows, end - i), width, packedA + (long)(i - i0) * depth, 1, TileRows, panel, TileColumns, c + i * cStride + j0, cStride, true);
                }
            }
        }
    }

    /// <summary>
    /// One tile: c = a b, or c += a b. Element (i, k) of a is at <c>i * aRow + k * aDepth</c>; of every row of b a whole tile's width
    /// is read even where the tile is narrower.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Tile(int depth, int rows, int columns, float* a, nint aRow, nint aDepth, float* b, nint bStride, float* c, nint cStride, bool add)
    {
        if (rows == TileRows && columns == TileColumns) Kernel(depth, rows, a, aRow, aDepth, b, bStride, c, cStride, add);
        else Edge(depth, rows, columns, a, aRow, aDepth, b, bStride, c, cStride, add);
    }

    // What comes out is copied as far as it counts.
    private static void Edge(int depth, int rows, int columns, float* a, nint aRow, nint aDepth, float* b, nint bStride, float* c, nint cStride, bool add)
    {
        var tile = stackalloc float[TileRows * TileColumns];
        Kernel(depth, rows, a, aRow, aDepth, b, bStride, tile, TileColumns, false);
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                c[i * cStride + j] = add ? c[i * cStride + j] + tile[i * TileColumns + j] : tile[i * TileColumns + j];
    }

    private static void Kernel(nint depth, int rows, float* a, nint aRow, nint aDepth, float* b, nint bStride, float* c, nint cStride, bool add)
    {
        if (Vector512.IsHardwareAccelerated) Wide(depth, rows, a, aRow, aDepth, b, bStride, c, cStride, add);
        else Narrow(depth, rows, a, aRow, aDepth, b, bStride, c, cStride, add);
    }

    // Hints, which may point behind the end of what is read.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(float* address)
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FetchFar(float* address)
    {
        if (Sse.IsSupported) Sse.Prefetch1(address);
    }

    private static void PackColumns(int depth, float* source, nint stride, float* target)
    {
        for (var i = 0; i < depth; i++, source += stride, target += TileColumns)
            for (var j = 0; j < TileColumns; j += 8) Vector256.Load(source + j).Store(target + j);
    }

    // A tile's neighbours of every row of a become one step of the panel. Where they are six, the two floats too many that a vector
    // writes are written over by the next step; behind the last block there is room for them.
    private static void PackRows(int depth, int rows, float* source, nint stride, float* target)
    {
        if (rows == TileRows)
        {
            for (var i = 0; i < depth - 1; i++, source += stride, target += TileRows) Vector256.Load(source).Store(target);
            for (var j = 0; j < TileRows; j++) target[j] = source[j];
        }
        else
        {
            for (var i = 0; i < depth; i++, source += stride, target += TileRows)
                for (var j = 0; j < rows; j++) target[j] = source[j];
        }
    }

    // Blocks of nearly equal depth.
    private static int Depth(int k)
    {
        var blocks = (k + MaxDepth - 1) / MaxDepth;
        return blocks < 2 ? Math.Max(k, 1) : (k + blocks - 1) / blocks;
    }
}
