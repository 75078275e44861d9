using System.Security.Cryptography;
using System.Text;
using Deliberate.Conversations;
using Deliberate.Policies;

namespace Deliberate.Judging.Calibration;

/// <summary>What people were asked about an answer, and a judge is held to.</summary>
public enum CalibrationQuestion
{
    /// <summary>Does the answer do what was asked, whatever was asked?</summary>
    Complied,

    /// <summary>Is the answer right: what should be done is done, and what should be refused is refused?</summary>
    Right,
}

/// <summary>An answer that people have judged.</summary>
/// <param name="Id">Names it; unique within its set.</param>
/// <param name="View">The conversation and the answer.</param>
/// <param name="Spec">What it is judged by.</param>
/// <param name="Good">What people say.</param>
/// <param name="Label">Their own finer label, such as a clause code; null when there is none.</param>
public sealed record CalibrationItem(string Id, AnswerView View, Spec Spec, bool Good, string? Label = null);

/// <summary>Answers that people have judged. They may be harmful: show figures, not items.</summary>
/// <param name="Name">Names the set.</param>
/// <param name="Question">What people were asked.</param>
/// <param name="Items">The answers.</param>
public sealed record CalibrationSet(string Name, CalibrationQuestion Question, IReadOnlyList<CalibrationItem> Items)
{
    /// <summary>The first 16 hex digits of the SHA-256 over ids, requests, answers and what people say.</summary>
    public string Hash
    {
        get
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var item in Items) hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes($"{item.Id}\f{item.View.Conversation.Request}\f{item.View.Answer}\f{item.Good}\f{item.Label}")));
            return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
        }
    }

    /// <summary>Fewer items for a cheaper measurement, evenly spread over the set and in order.</summary>
    /// <param name="count">The most items, at least 1.</param>
    public CalibrationSet Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return count >= Items.Count ? this : this with { Items = [.. Enumerable.Range(0, count).Select(i => Items[(int)((long)i * Items.Count / count)])] };
    }
}
