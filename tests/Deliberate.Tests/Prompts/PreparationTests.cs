using CsCheck;
using Deliberate.Conversations;
using Deliberate.Prompts;
using Xunit;

namespace Deliberate.Tests.Prompts;

public class PreparationTests
{
    private const string Long = "Please explain to a curious beginner how sourdough bread rises overnight when nobody adds any yeast from a shop to the dough";

    private static readonly PreparationOptions KeepAll = new(HeldOut: 0);

    private static List<string> Kept(PromptPreparation preparation, params SourcePrompt[] prompts) => [.. prompts.Select(preparation.Add).OfType<PreparedPrompt>().Select(prompt => prompt.Prompt.Id)];

    [Fact]
    public void Of_prompts_that_differ_in_case_and_punctuation_the_first_stays()
    {
        var preparation = new PromptPreparation(KeepAll);
        Assert.Equal(["1"], Kept(preparation, Shared.Source("How do I bake bread?", "1", row: 4, categories: "a"), Shared.Source("how do i BAKE bread", "2", "b.csv", 9, "b")));
        Assert.Equal(new DroppedPrompt("2", "b.csv:9", DropReason.ExactDuplicate, "1", "a.jsonl:4", 1, OtherCategories: true), Assert.Single(preparation.Report.Dropped));
        Assert.Equal((2, 1, 1), (preparation.Report.Read, preparation.Report.Train, preparation.Report.ExactDuplicates));
    }

    [Fact]
    public void Prompts_that_are_almost_the_same_are_left_out_and_those_that_differ_in_a_word_that_matters_stay()
    {
        var preparation = new PromptPreparation(KeepAll);
        Assert.Equal(["1", "3", "4"], Kept(preparation, Shared.Source(Long, "1"), Shared.Source(Long + " now", "2"), Shared.Source("How do I kill a process?", "3"), Shared.Source("How do I kill a peasant?", "4")));
        var dropped = Assert.Single(preparation.Report.Dropped);
        Assert.Equal(("2", DropReason.NearDuplicate, "1"), (dropped.Id, dropped.Reason, dropped.Match));
        Assert.InRange(dropped.Overlap, 0.85, 0.99);
        Assert.Equal(4, Kept(new(KeepAll with { NearDuplicate = 1.1 }), Shared.Source(Long, "1"), Shared.Source(Long + " now", "2"), Shared.Source("a", "3"), Shared.Source("b", "4")).Count);
    }

    [Fact]
    public void Near_duplicates_above_the_threshold_are_found_as_by_comparing_all_pairs()
    {
        var word = Gen.OneOf("bread", "dough", "yeast", "water", "oven", "flour", "salt", "knead", "bake", "rise");
        word.Array[8, 25].Array[2, 30].Select(Gen.Double[0.5, 0.95]).Sample((texts, threshold) =>
        {
            var near = new NearDuplicates(threshold);
            var kept = new List<HashSet<string>>();
            var missed = 0;
            foreach (var text in texts.Select(words => string.Join(' ', words)))
            {
                var set = Enumerable.Range(0, Math.Max(1, text.Length - 4)).Select(at => text[at..Math.Min(text.Length, at + 5)]).ToHashSet();
                double Jaccard(HashSet<string> other) => (double)set.Intersect(other).Count() / set.Union(other).Count();
                var expected = kept.FindIndex(other => Jaccard(other) >= threshold);
                var found = near.Find(text, 0, add: true);
                if (found is null && expected >= 0) missed++;
                else if (found is var (number, similarity)) Assert.Equal(Jaccard(kept[number]), similarity, 9);
                if (found is null) kept.Add(set);
            }

            Assert.True(missed <= 1, $"{missed} of {texts.Length} missed");
        }, iter: 200);
    }

    [Fact]
    public void Prompts_under_different_system_words_are_not_compared_as_almost_the_same()
    {
        SourcePrompt Under(string system, string id) => Shared.Source("x", id) with { Prompt = new(id, new([new Turn(Role.System, system), new Turn(Role.User, Long)])) };
        Assert.Equal(["1", "2"], Kept(new PromptPreparation(KeepAll), Under("You are a baker.", "1"), Under("You are a chemist.", "2"), Under("You are a baker!", "3")));
    }

    [Fact]
    public void An_id_that_is_taken_gets_a_hash_behind_it()
    {
        var preparation = new PromptPreparation(KeepAll);
        var kept = Kept(preparation, Shared.Source("one thing", "1"), Shared.Source("another matter", "1"));
        Assert.Equal("1", kept[0]);
        Assert.Matches("^1-[0-9a-f]{8}$", kept[1]);
        Assert.Equal(1, preparation.Report.Renamed);
    }

    [Fact]
    public void Contamination_names_the_evaluation_prompt_and_how_much_is_shared()
    {
        var evaluation = new EvaluationSets();
        evaluation.Add("eval.csv", Shared.Prompt(Long, "e1"));
        evaluation.Add("eval.csv", Shared.Prompt("What is the capital of France?", "e2"));
        evaluation.Add("other.csv", Shared.Prompt("Say hello", "e3"));
        Assert.Equal(3, evaluation.Count);

        // Thirteen of the long one's words, one less, and the whole of a short one in a longer text.
        var words = PromptText.Words(Long);
        Assert.Equal(new Contamination("eval.csv", "e1", 13, 13.0 / 15), evaluation.Find(Shared.Prompt($"Well, {string.Join(' ', words.Take(13))} ok")));
        Assert.Null(evaluation.Find(Shared.Prompt($"Well, {string.Join(' ', words.Take(12))} ok")));
        Assert.Equal(new Contamination("eval.csv", "e2", 6, 6.0 / 11), evaluation.Find(Shared.Prompt("Ignore that. WHAT is the capital of France, my dear friend?")));
        Assert.Equal(new Contamination("eval.csv", "e1", 7, 1), evaluation.Find(Shared.Prompt("how sourdough bread rises overnight when nobody")));

        // Fewer than five words count as a whole only.
        Assert.Equal("e3", evaluation.Find(Shared.Prompt("say HELLO."))?.Id);
        Assert.Null(evaluation.Find(Shared.Prompt("Say hello to my mother in a poem")));
        Assert.Null(evaluation.Find(Shared.Prompt("What is the capital of Spain?")));
    }

    [Fact]
    public void Contaminated_prompts_are_left_out_and_counted_by_file()
    {
        var evaluation = new EvaluationSets(run: 5);
        evaluation.Add("eval.csv", Shared.Prompt(Long, "e1"));
        var preparation = new PromptPreparation(KeepAll, evaluation);
        Assert.Equal(["2"], Kept(preparation, Shared.Source("I wonder how sourdough bread rises overnight", "1"), Shared.Source("How do I bake rolls?", "2"), Shared.Source(Long, "3")));
        Assert.Equal([("1", "e1", 5), ("3", "e1", 22)], preparation.Report.Dropped.Select(dropped => (dropped.Id, dropped.Match, dropped.Words)));
        Assert.Equal(new Dictionary<string, int> { ["eval.csv"] = 2 }, preparation.Report.ContaminatedByFile);
        Assert.Equal("3 read: 1 to train on, 0 held out; left out 0 exact and 0 near duplicates, 2 contaminated (eval.csv 2); 0 renamed", preparation.Report.ToString());
    }

    [Fact]
    public void Runs_of_words_do_not_go_from_turn_to_turn()
    {
        var evaluation = new EvaluationSets(run: 6, nearDuplicate: 2);
        evaluation.Add("e", Shared.Prompt("one two three four five six", "e1"));
        Prompt Turns(params string[] texts) => new("x", new([.. texts.Select(text => new Turn(Role.User, text))]));
        Assert.Null(evaluation.Find(Turns("one two three", "four five six")));
        Assert.NotNull(evaluation.Find(Turns("zero", "one two three four five six")));
    }

    [Fact]
    public void A_prompt_stays_on_its_side_whatever_others_there_are()
    {
        var prompts = Enumerable.Range(0, 400).Select(number => Shared.Source($"Question {number * 7919} about topic {number}", $"{number}")).ToArray();
        static Dictionary<string, bool> Sides(IEnumerable<SourcePrompt> some) =>
            some.Select(new PromptPreparation(new(NearDuplicate: 2, HeldOut: 0.2)).Add).OfType<PreparedPrompt>().ToDictionary(prompt => prompt.Prompt.Id, prompt => prompt.HeldOut);
        var all = Sides(prompts);
        Assert.All(Sides(prompts.Reverse().Where((_, index) => index % 3 == 0)), side => Assert.Equal(all[side.Key], side.Value));
        Assert.InRange(all.Count(side => side.Value), 50, 110);
        Assert.Equal(HashSplit.IsHeldOut(Conversation.FromUser("Hi there"), 0.5), HashSplit.IsHeldOut(Conversation.FromUser("hi THERE!"), 0.5));
        Assert.NotEqual(all.Values, prompts.Select(prompt => HashSplit.IsHeldOut(prompt.Prompt.Conversation, 0.2, "other")));
    }

    [Fact]
    public void A_larger_share_holds_out_all_that_a_smaller_one_does() => Gen.Select(Gen.String, Gen.Double[0, 1], Gen.Double[0, 1]).Sample((text, a, b) =>
        Assert.True(!HashSplit.IsHeldOut(Conversation.FromUser(text), Math.Min(a, b)) || HashSplit.IsHeldOut(Conversation.FromUser(text), Math.Max(a, b))));

    [Fact]
    public async Task A_file_streams_through()
    {
        using var folder = new Runs.TemporaryFolder();
        var path = folder.Write("a.jsonl", string.Concat(Enumerable.Range(0, 50).Select(number => $"{{\"prompt\":\"Question number {number % 40} of many\"}}\n")));
        var preparation = new PromptPreparation(KeepAll with { NearDuplicate = 2 });
        var kept = 0;
        await foreach (var prompt in preparation.RunAsync(PromptFile.ReadAsync(path, cancellationToken: Shared.Token), Shared.Token)) kept++;
        Assert.Equal((40, 50, 10), (kept, preparation.Report.Read, preparation.Report.ExactDuplicates));
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PromptPreparation(new(NearDuplicate: 0.1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PromptPreparation(new(HeldOut: -0.1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EvaluationSets(run: 1));
    }
}
