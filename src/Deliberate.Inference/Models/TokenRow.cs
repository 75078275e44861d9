namespace Deliberate.Inference.Models;

/// <summary>One training sequence: tokens, and how much predicting each of them counts in the loss.</summary>
/// <param name="Tokens">Token ids, in order.</param>
/// <param name="LossWeights">
/// Same length; entry <c>i</c> weighs the loss of predicting <c>Tokens[i]</c> from what comes before it (0 = context only;
/// entry 0 is never used).
/// </param>
public sealed record TokenRow(int[] Tokens, float[] LossWeights);
