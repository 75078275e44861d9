using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class ClauseCodesTests
{
    private static WorldPolicy With(params string[] codes) =>
        new([.. codes.Select((code, i) => new WorldClause("theft", Act.All[i].Name, code, PolicyAction.Refuse))], "a plain no", "general facts");

    [Fact]
    public void A_policy_whose_codes_are_tokens_borrows_nothing() => Assert.Empty(ClauseCodes.Lend(Sample.Tokenizer, With("A1", "T14", "Z12")));

    [Fact]
    public void Codes_of_any_form_become_one_token_and_keep_their_text()
    {
        var policy = With("HK1", "T15", "A12", "VIO104", "A1");
        var lent = ClauseCodes.Lend(Sample.Tokenizer, policy);
        Assert.Equal([" [HK1", " [T15", " [VIO104"], lent.Values);
        var tokenizer = Sample.Tokenizer.Rename(lent);
        var text = policy.Render("theft");
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.All(policy.Clauses, clause => Assert.Equal(5, tokenizer.Encode($"\n- {clause.Line}").Length));
        Assert.Empty(ClauseCodes.Lend(tokenizer, policy));
    }

    [Fact]
    public void A_code_that_the_policy_uses_is_not_lent_to_another()
    {
        var lent = ClauseCodes.Lend(Sample.Tokenizer, With("A1", "HK1", "A2"));
        Assert.DoesNotContain(" [A1", lent.Keys);
        Assert.DoesNotContain(" [A2", lent.Keys);
    }
}
