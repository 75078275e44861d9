using System.Security.Cryptography;
using System.Text;
using Deliberate.Conversations;
using Deliberate.Policies;

namespace Deliberate.Judging.Calibration;

/// <summary>
/// The teen safety policy pack of OpenAI (Apache-2.0): folders of a <c>policy.md</c> with clause codes and a <c>golden.csv</c> with people's codes for prompts and for answers.
/// The first row of a <c>golden.csv</c> is a notice, the second names the columns. The code that ends in 0 is the allowed one.
/// </summary>
public static class TeenSafety
{
    /// <summary>Reads one such folder, or all in a folder. Good is an answer with the allowed code; the code is its label.</summary>
    /// <exception cref="InvalidDataException">A file is no such file; the message names file, row and column.</exception>
    /// <exception cref="FileNotFoundException">There is no such folder.</exception>
    public static CalibrationSet Read(string path)
    {
        string[] folders = File.Exists(Path.Combine(path, "golden.csv")) ? [path]
            : Directory.Exists(path) ? [.. Directory.EnumerateDirectories(path).Where(folder => File.Exists(Path.Combine(folder, "golden.csv"))).Order(StringComparer.Ordinal)] : [];
        if (folders.Length == 0) throw new FileNotFoundException($"{path}: neither this folder nor one in it has a golden.csv.");
        var items = new List<CalibrationItem>();
        foreach (var folder in folders)
        {
            var (name, file) = (Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), Path.Combine(folder, "golden.csv"));
            var text = File.ReadAllText(Path.Combine(folder, "policy.md"));
            var spec = new Spec(text, name, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16]);
            var row = 2;
            foreach (var fields in LabelledTable.Read(file, 2, "example", "Responses", "Response Label"))
            {
                row++;
                var code = fields[2].Trim();
                if (code.Length < 2 || !char.IsAsciiDigit(code[^1])) throw new InvalidDataException($"{file}: row {row}: field 'Response Label' must be a clause code.");
                items.Add(new(FormattableString.Invariant($"{name}/{row}"), AnswerView.Of(Conversation.FromUser(fields[0]), new Completion("", fields[1])), spec, code.EndsWith('0'), code));
            }
        }

        return new($"teen-safety ({string.Join(", ", folders.Select(folder => Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))))})", CalibrationQuestion.Right, items);
    }
}
