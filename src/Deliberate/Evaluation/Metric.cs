namespace Deliberate.Evaluation;

/// <summary>One measured value with its uncertainty.</summary>
/// <param name="Value">The value; NaN when nothing could be measured (written as null).</param>
/// <param name="Low">Lower end of the 95 % interval.</param>
/// <param name="High">Upper end of the 95 % interval.</param>
/// <param name="N">Number of items behind it.</param>
/// <param name="Unscored">Items left out because they could not be scored.</param>
public sealed record Metric(double Value, double Low, double High, int N, int Unscored = 0);
