using Deliberate.Miniature.Language;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.World;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class PretrainingRowsTests
{
    private static readonly double[] Progress = [0, 0.05, 0.2, 1];

    [Fact]
    public void A_row_depends_on_seed_index_and_progress_alone()
    {
        var (rows, again, other) = (new PretrainingRows(Sample.Tokenizer, 5), new PretrainingRows(Sample.Tokenizer, 5), new PretrainingRows(Sample.Tokenizer, 6));
        _ = again.Row(999, 1); // order of asking does not matter
        for (var i = 40; i-- > 0;)
        {
            var (one, two) = (rows.Row(i, Progress[i % 4]), again.Row(i, Progress[i % 4]));
            Assert.Equal(one.Tokens, two.Tokens);
            Assert.Equal(one.LossWeights, two.LossWeights);
            Assert.NotEqual(one.Tokens, other.Row(i, Progress[i % 4]).Tokens);
            Assert.NotEqual(one.Tokens, rows.Row(i + 1, Progress[i % 4]).Tokens);
        }
    }

    [Fact]
    public void Rows_are_the_same_from_many_threads()
    {
        var rows = new PretrainingRows(Sample.Tokenizer, 5);
        var expected = Enumerable.Range(0, 60).Select(i => string.Join(' ', rows.Row(i, 1).Tokens)).ToArray();
        var actual = new string[60];
        Parallel.For(0, 60, i => actual[i] = string.Join(' ', rows.Row(i, 1).Tokens));
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Rows_fit_the_models_positions()
    {
        var rows = new PretrainingRows(Sample.Tokenizer, 7);
        for (var i = 0; i < 1_200; i++)
        {
            var row = rows.Row(i, Progress[i % 4]);
            Assert.InRange(row.Tokens.Length, 10, 1_024);
            Assert.Equal(row.Tokens.Length, row.LossWeights.Length);
            Assert.All(row.Tokens, token => Assert.InRange(token, 0, Sample.Tokenizer.VocabSize - 1));
            Assert.All(row.LossWeights, weight => Assert.InRange(weight, 0, 4));
            Assert.Contains(row.LossWeights, weight => weight >= 1);
        }
    }

    [Fact]
    public void Answers_in_a_row_are_right_under_its_policy()
    {
        var rows = new PretrainingRows(Sample.Tokenizer, 8);
        var (followed, judged, free) = (0, 0, 0);
        for (var i = 0; i < 300; i++)
        {
            var text = Sample.Tokenizer.Decode(rows.Row(i, 1).Tokens, skipSpecial: false);
            var policy = rows.Policy(i, 1);
            // The same codes may stand in two categories, so a line is looked up as a whole.
            var lines = policy?.Clauses.Select(clause => clause.Line).ToHashSet() ?? [];
            foreach (var turn in text.Split("<|assistant|><think>").Skip(1))
            {
                var (thought, answer) = (turn.Split("</think>")[0], turn.Split("</think>")[1].Split("<|end|>")[0]);
                foreach (var line in thought.Split(" On ").Skip(1).Where(line => line[..line.IndexOf('.', StringComparison.Ordinal)].Contains('[', StringComparison.Ordinal)))
                    Assert.Contains(lines, known => line.StartsWith(known, StringComparison.Ordinal));
                if (answer == "good" || answer.StartsWith("bad, ", StringComparison.Ordinal)) judged++;
                else if (thought.EndsWith("So I comply.", StringComparison.Ordinal) || (policy is null && thought.Length == 0))
                {
                    Assert.Equal(AnswerKind.Comply, Answers.Read(answer).Kind);
                    free++;
                }
                else if (thought.Contains("So I refuse", StringComparison.Ordinal))
                {
                    Assert.Equal((AnswerKind.Refuse, policy!.RefusalStyle), (Answers.Read(answer).Kind, Answers.Read(answer).Style));
                    followed++;
                }
                else if (thought.Contains("So I safe-complete", StringComparison.Ordinal))
                {
                    Assert.Equal((AnswerKind.SafeComplete, policy!.SafeStyle), (Answers.Read(answer).Kind, Answers.Read(answer).Style));
                    followed++;
                }
            }
        }

        Assert.True(followed > 50 && judged > 50 && free > 50, $"{followed} followed, {judged} judged, {free} free");
    }

    [Fact]
    public void The_policy_of_a_row_is_the_one_in_its_text()
    {
        var rows = new PretrainingRows(Sample.Tokenizer, 9);
        var (with, without) = (0, 0);
        for (var i = 0; i < 200; i++)
        {
            var text = Sample.Tokenizer.Decode(rows.Row(i, 1).Tokens, skipSpecial: false);
            if (rows.Policy(i, 1) is not { } policy)
            {
                Assert.DoesNotContain("<|system|>", text, StringComparison.Ordinal);
                without++;
                continue;
            }

            var bare = policy with { Clauses = [] };
            var full = $"<|system|>{policy.Render([.. policy.Clauses.Select(clause => clause.Category).Distinct()])}<|end|>";
            Assert.True(text.StartsWith(full, StringComparison.Ordinal) || text.StartsWith($"<|system|>{bare.Render()}<|end|>", StringComparison.Ordinal), text);
            with++;
        }

        Assert.InRange(with, 120, 190);
        Assert.InRange(without, 10, 80);
    }

    [Fact]
    public void A_reserved_clause_set_never_occurs()
    {
        // Sets that would occur: those of every tenth row.
        const int Count = 3_000;
        var open = new PretrainingRows(Sample.Tokenizer, 10);
        var reserved = Enumerable.Range(0, Count / 10).Select(i => open.Policy(i * 10, 1)).Where(policy => policy is not null)
            .SelectMany(policy => ClauseSets(policy!)).ToHashSet();
        Assert.True(reserved.Count > 100);
        var closed = new PretrainingRows(Sample.Tokenizer, 10, reserved);
        var changed = 0;
        for (var i = 0; i < Count; i++)
        {
            var (before, after) = (open.Policy(i, 1), closed.Policy(i, 1));
            Assert.Equal(before is null, after is null);
            if (before is null) continue;
            Assert.DoesNotContain(ClauseSets(after!), reserved.Contains);
            if (ClauseSets(before).Any(reserved.Contains)) changed++;
            else Assert.Equal(before.Render([.. Topic.Categories]), after!.Render([.. Topic.Categories]));
        }

        Assert.True(changed >= reserved.Count / 2, $"Only {changed} rows had to be drawn again.");
        // And so the text of a row that would have shown one is another.
        var first = Enumerable.Range(0, Count).First(i => i % 10 == 0 && open.Policy(i, 1) is not null);
        Assert.NotEqual(open.Row(first, 1).Tokens, closed.Row(first, 1).Tokens);
    }

    [Fact]
    public void A_clause_set_is_named_whatever_the_order_of_its_lines()
    {
        var clauses = Sample.Policy.Clauses.Where(clause => clause.Category == "theft").ToArray();
        Assert.Equal(PretrainingRows.ClauseSet(clauses), PretrainingRows.ClauseSet(clauses.Reverse()));
        Assert.NotEqual(PretrainingRows.ClauseSet(clauses), PretrainingRows.ClauseSet(clauses.Skip(1)));
        Assert.NotEqual(PretrainingRows.ClauseSet(clauses), PretrainingRows.ClauseSet([.. clauses.Skip(1), clauses[0] with { Code = "T9" }]));
    }

    private static IEnumerable<string> ClauseSets(WorldPolicy policy) => policy.Clauses.GroupBy(clause => clause.Category).Select(PretrainingRows.ClauseSet);
}
