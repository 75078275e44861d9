using System.Text.Json.Serialization;

namespace Deliberate.Prompts;

/// <summary>Why a prompt was left out.</summary>
public enum DropReason
{
    /// <summary>It is one that was kept, but for case, spacing and punctuation.</summary>
    ExactDuplicate,

    /// <summary>It is almost one that was kept.</summary>
    NearDuplicate,

    /// <summary>It has too much in common with an evaluation prompt.</summary>
    Contaminated,
}

/// <summary>A prompt that was left out. It holds no text of the prompt.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Place">File and row.</param>
/// <param name="Reason">Why it was left out.</param>
/// <param name="Match">The id of the prompt that it is too like.</param>
/// <param name="MatchPlace">Where that one stands: file and row of one that was kept, or the evaluation file.</param>
/// <param name="Overlap">How much it is like it, from 0 to 1: the Jaccard index, or for contamination the share of its words in shared runs.</param>
/// <param name="Words">Words of the longest run shared with the evaluation prompt; 0 for duplicates.</param>
/// <param name="OtherCategories">True when it is a duplicate that its file puts into other categories than the one that was kept.</param>
public sealed record DroppedPrompt(string Id, string Place, DropReason Reason, string Match, string MatchPlace, double Overlap, int Words = 0, bool OtherCategories = false);

/// <summary>What preparation did with the prompts. Counts and ids, no texts.</summary>
/// <param name="Read">Prompts read.</param>
/// <param name="Train">Prompts kept for training.</param>
/// <param name="HeldOut">Prompts kept and held out.</param>
/// <param name="Renamed">Prompts kept under another id, as theirs was taken by another prompt.</param>
/// <param name="Dropped">Those left out, in order.</param>
/// <param name="ContaminatedByFile">Contaminated prompts by evaluation file.</param>
public sealed record PreparationReport(int Read, int Train, int HeldOut, int Renamed, IReadOnlyList<DroppedPrompt> Dropped, IReadOnlyDictionary<string, int> ContaminatedByFile)
{
    /// <summary>Those left out as exact duplicates.</summary>
    [JsonIgnore]
    public int ExactDuplicates => Count(DropReason.ExactDuplicate);

    /// <summary>Those left out as near duplicates.</summary>
    [JsonIgnore]
    public int NearDuplicates => Count(DropReason.NearDuplicate);

    /// <summary>Those left out as contaminated.</summary>
    [JsonIgnore]
    public int Contaminated => Count(DropReason.Contaminated);

    /// <summary>"1000 read: 880 to train on, 98 held out; left out 12 exact and 6 near duplicates, 4 contaminated (a.csv 4); 0 renamed".</summary>
    public override string ToString()
    {
        var files = string.Join(", ", ContaminatedByFile.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => $"{file.Key} {file.Value}"));
        return $"{Read} read: {Train} to train on, {HeldOut} held out; left out {ExactDuplicates} exact and {NearDuplicates} near duplicates, {Contaminated} contaminated{(files.Length > 0 ? $" ({files})" : "")}; {Renamed} renamed";
    }

    private int Count(DropReason reason) => Dropped.Count(dropped => dropped.Reason == reason);
}
