namespace Deliberate.Inference.Generation;

/// <summary>
/// Multiplies the tokens of prompts with a model's matrices by other means than the engine's own kernels: a library that uses instructions which .NET does not
/// have (AMX, AVX512-BF16). The generator measures both when it starts and chooses (<see cref="GeneratorOptions.Prompts"/>).
/// </summary>
public interface IPromptMatrices
{
    /// <summary>What it is, as messages name it: "bf16 by libtorch".</summary>
    string Name { get; }

    /// <summary>How many times as quick as the engine's own kernels it must be measured to be taken.</summary>
    double LeastGain { get; }

    /// <summary>A matrix of zeros.</summary>
    /// <param name="outputs">Its rows.</param>
    /// <param name="inputs">Its columns.</param>
    IPromptMatrix Create(int outputs, int inputs);
}

/// <summary>Gives one row of a matrix.</summary>
/// <param name="output">Its number.</param>
/// <param name="values">Takes its values. (inputs)</param>
public delegate void MatrixRow(int output, Span<float> values);

/// <summary>One matrix, W: (outputs, inputs). What a row gives depends neither on the other rows nor on how many outputs are asked for at once.</summary>
public interface IPromptMatrix : IDisposable
{
    /// <summary>Takes the values of all rows; no product may be under way.</summary>
    void Load(MatrixRow read);

    /// <summary>y = x W^T, or y += x W^T, of some outputs. Called by several threads at once, each for outputs of its own.</summary>
    /// <param name="x">(rows, xStride), of which the first inputs of each row count</param>
    /// <param name="xStride">Distance between its rows.</param>
    /// <param name="y">(rows, yStride), from the first of these outputs on</param>
    /// <param name="yStride">Distance between its rows.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="first">The first output.</param>
    /// <param name="count">How many outputs.</param>
    /// <param name="add">Whether to add to what y holds.</param>
    void Multiply(ReadOnlySpan<float> x, int xStride, Span<float> y, int yStride, int rows, int first, int count, bool add);
}
