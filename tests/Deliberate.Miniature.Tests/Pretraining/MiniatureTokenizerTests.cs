using Deliberate.Evaluation;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.World;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class MiniatureTokenizerTests
{
    [Fact]
    public void Codes_and_names_are_one_token_each()
    {
        Assert.Equal(MiniatureTokenizer.VocabularySize, Sample.Tokenizer.VocabSize);
        Assert.All(MiniatureTokenizer.WholeCodes.Concat(MiniatureTokenizer.WholeRules).Concat(MiniatureTokenizer.WholeNames), text => Assert.Single(Sample.Tokenizer.Encode(text)));
        Assert.All(MiniatureTokenizer.WholeCodes, code => Assert.Single(ClauseCitations.Find($"{code}]")));
    }

    [Fact]
    public void A_clause_is_a_bullet_a_category_a_subject_a_code_and_a_rule()
    {
        Assert.All(Sample.Cases(100, 22).SelectMany(item => item.Policy.Clauses).Where(clause => MiniatureTokenizer.WholeCodes.Contains($" [{clause.Code}")),
            clause => Assert.Equal(5, Sample.Tokenizer.Encode($"\n- {clause.Line}").Length));
    }

    [Fact]
    public void The_worlds_text_survives_and_is_short() =>
        Assert.All(Sample.Cases(400, 20), item =>
        {
            foreach (var text in (string[])[item.Request.Text, Thoughts.Under(item.Policy, item.Request), item.Policy.Render([.. Topic.Categories]), Answers.Right(item.Request, item.Policy)])
            {
                Assert.Equal(text, Sample.Tokenizer.Decode(Sample.Tokenizer.Encode(text)));
                if (item.Request.Wrapper != Wrapper.Spelled && item.Request.Wrapper != Wrapper.Reversed) Assert.True(Sample.Tokenizer.Encode(text).Length <= 6 + text.Length / 2.5, text);
            }
        });

    [Fact]
    public void The_same_seed_gives_the_same_tokenizer()
    {
        var again = MiniatureTokenizer.Train(1);
        Assert.All(Sample.Cases(200, 21), item =>
            Assert.Equal(Sample.Tokenizer.Encode(item.Request.Text + Thoughts.Under(item.Policy, item.Request)), again.Encode(item.Request.Text + Thoughts.Under(item.Policy, item.Request))));
    }
}
