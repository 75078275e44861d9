using Deliberate.Inference.Tokenization;
using Deliberate.Miniature.World;

namespace Deliberate.Miniature.Pretraining;

/// <summary>
/// Makes every code of a policy one token. The miniature's vocabulary holds the codes A1 to Z14; a policy with others ("HK1", "T15")
/// is lent the tokens of codes that it does not use, under its own names, so that any policy is quoted as well as any other.
/// </summary>
public static class ClauseCodes
{
    /// <summary>Which tokens are lent: text in the vocabulary to text of the policy. Empty when every code is a token already, or none is left to lend.</summary>
    public static IReadOnlyDictionary<string, string> Lend(BpeTokenizer tokenizer, WorldPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(policy);
        var wanted = policy.Clauses.Select(clause => $" [{clause.Code}").Distinct().ToArray();
        var owned = wanted.Where(code => tokenizer.Encode(code).Length == 1).ToHashSet(StringComparer.Ordinal);
        var free = MiniatureTokenizer.WholeCodes.Where(code => !wanted.Contains(code) && tokenizer.Encode(code).Length == 1);
        return wanted.Where(code => !owned.Contains(code)).Zip(free).ToDictionary(pair => pair.Second, pair => pair.First, StringComparer.Ordinal);
    }
}
