namespace Deliberate.Auditing;

/// <summary>Whether an audit log's chain holds. Immutable.</summary>
/// <param name="Records">How many records were checked.</param>
/// <param name="First">Number of the first record that is there; 0 when there is none.</param>
/// <param name="Last">Number of the last; 0 when there is none.</param>
/// <param name="LastHash">Its hash. Whoever notes it can later tell whether the end of the log was cut off.</param>
/// <param name="Redacted">How many records had parts taken out.</param>
/// <param name="Torn">Whether the last file ends within a line, as a crash leaves it; that record was never acknowledged.</param>
/// <param name="Problem">The first thing that is wrong, with file and line; null when the chain holds.</param>
public sealed record AuditVerification(long Records, long First, long Last, string LastHash, long Redacted, bool Torn, string? Problem)
{
    /// <summary>Whether the chain holds.</summary>
    public bool Holds => Problem is null;

    /// <summary>Checks all segments of a log. The log may be in use.</summary>
    /// <param name="folder">The log's folder.</param>
    /// <param name="expected">A hash that was noted earlier and must be that of a record; null for none.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static AuditVerification Of(string folder, string? expected = null)
    {
        var (records, first, last, hash, redacted) = (0L, 0L, 0L, AuditRecord.Genesis, 0L);
        var torn = false;
        var missing = new List<(long Number, AuditParts Parts, string Place)>();
        var redactions = new List<(long From, long To, AuditParts Parts)>();
        (string Hash, string Place)? before = null; // of the first record that is there, when it is not the first of all
        var signed = false;
        var found = expected is null;
        AuditVerification Result(string? problem) => new(records, first, last, last == 0 ? "" : hash, redacted, torn, problem);

        foreach (var (path, number) in AuditSegments.In(folder))
        {
            if (torn) return Result($"{path}: the file before this one ends within a line");
            var (line, end) = (0, 0L);
            foreach (var (bytes, at) in AuditSegments.Lines(path))
            {
                line++;
                end = at;
                var place = $"{path}:{line}";
                AuditRecord record;
                try
                {
                    record = AuditRecord.Read(bytes);
                }
                catch (InvalidDataException problem)
                {
                    return Result($"{place}: {problem.Message}");
                }

                if (line == 1 && record.Number != number) return Result($"{place}: the file is named after record {number} and begins with {record.Number}");
                if (records == 0)
                {
                    first = record.Number;
                    if (first > 1) before = (record.Previous, place);
                    else if (record.Previous != AuditRecord.Genesis) return Result($"{place}: the first record names one before it");
                }
                else if (record.Number != last + 1)
                {
                    return Result($"{place}: record {record.Number} follows on {last}");
                }
                else if (record.Previous != hash)
                {
                    return Result($"{place}: it does not name the hash of the record before it");
                }

                (last, hash) = (record.Number, record.Hash);
                records++;
                found |= hash == expected;
                if (record.Missing is var gone and not AuditParts.None)
                {
                    redacted++;
                    if ((gone & ~record.Withheld) is var unsaid and not AuditParts.None) missing.Add((record.Number, unsaid, place));
                }

                if (record.Kind == "redacted") redactions.Add((record.Head.GetProperty("from").GetInt64(), record.Head.GetProperty("to").GetInt64(), AuditRecord.Parts(record.Head.GetProperty("what"))));
                else if (record.Kind == "dropped")
                    signed |= before is not null && record.Head.GetProperty("to").GetInt64() == first - 1 && record.Head.GetProperty("last").GetString() == before.Value.Hash;
            }

            torn = new FileInfo(path).Length > end;
        }

        if (before is not null && !signed) return Result($"{before.Value.Place}: the records before {first} are gone, and no record says that they were deleted");
        foreach (var (number, parts, place) in missing)
        {
            var said = redactions.Where(range => range.From <= number && number <= range.To).Aggregate(AuditParts.None, (all, range) => all | range.Parts);
            if ((parts & ~said) != AuditParts.None) return Result($"{place}: content is gone, and no record says that it was taken out");
        }

        return Result(found ? null : $"{folder}: no record has the hash {expected}");
    }
}
