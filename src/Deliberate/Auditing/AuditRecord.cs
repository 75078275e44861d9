using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Deliberate.Conversations;
using Deliberate.Runs;

namespace Deliberate.Auditing;

/// <summary>
/// One line of an audit log: <c>{"head":{"n":…,"prev":"…","at":"…","kind":…,…},"parts":{…},"hash":"…"}</c>. The hash is the SHA-256 of the head's bytes as they
/// are written. The head holds the hash of the record before and the hashes of the parts, so that parts can be taken out and the chain still holds. Each part
/// has a salt, so that nobody can guess at what was taken out.
/// </summary>
internal sealed class AuditRecord
{
    /// <summary>The "hash" before the first record.</summary>
    public static readonly string Genesis = new('0', 64);

    private static readonly (string Name, AuditParts Part)[] Names =
        [("conversation", AuditParts.Conversation), ("thinking", AuditParts.Thinking), ("answer", AuditParts.Answer), ("error", AuditParts.Error)];

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private AuditRecord(JsonElement root, JsonElement head, string hash)
    {
        (Root, Head, Hash) = (root, head, hash);
        Number = head.GetProperty("n").GetInt64();
        Previous = head.GetProperty("prev").GetString()!;
        At = head.GetProperty("at").GetDateTimeOffset();
        Kind = head.GetProperty("kind").GetString()!;
    }

    public JsonElement Root { get; }

    public JsonElement Head { get; }

    public string Hash { get; }

    public long Number { get; }

    public string Previous { get; }

    public DateTimeOffset At { get; }

    /// <summary>"exchange", "redacted" (parts of records <c>from</c> to <c>to</c> are taken out) or "dropped" (records up to <c>to</c>, whose hash is <c>last</c>, are deleted).</summary>
    public string Kind { get; }

    /// <summary>Parts whose content is in the line.</summary>
    public AuditParts Present => Members(Root);

    /// <summary>Parts whose content is not in the line though the exchange had them.</summary>
    public AuditParts Missing => Members(Head) & ~Present;

    /// <summary>Parts that were never written.</summary>
    public AuditParts Withheld => Head.TryGetProperty("withheld", out var withheld) ? Parts(withheld) : AuditParts.None;

    /// <summary>Reads and checks a line by itself: that it is whole, and that head and parts have their hashes.</summary>
    /// <exception cref="InvalidDataException">It does not hold; the message says what is wrong, without repeating any of it.</exception>
    public static AuditRecord Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            var root = JsonDocument.Parse(line, Strict).RootElement;
            foreach (var member in root.EnumerateObject())
                if (member.Name is not ("head" or "parts" or "hash")) throw new InvalidDataException("it has a member that no record has");
            var head = root.GetProperty("head");
            var hash = root.GetProperty("hash").GetString();
            if (hash != Digest(JsonMarshal.GetRawUtf8Value(head))) throw new InvalidDataException("its head does not have the hash that it gives");
            if (root.TryGetProperty("parts", out var parts))
            {
                foreach (var part in parts.EnumerateObject())
                    if (!head.TryGetProperty("parts", out var digests) || !digests.TryGetProperty(part.Name, out var digest) || digest.GetString() != Digest(JsonMarshal.GetRawUtf8Value(part.Value)))
                        throw new InvalidDataException($"its part '{(Names.Any(known => known.Name == part.Name) ? part.Name : "?")}' does not have the hash that the head gives");
            }

            return new(root, head, hash!);
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException("it is no record", problem);
        }
    }

    /// <summary>The line without these parts.</summary>
    public byte[] Without(AuditParts parts)
    {
        var kept = Names.Where(known => !parts.HasFlag(known.Part) && Root.TryGetProperty("parts", out var all) && all.TryGetProperty(known.Name, out _))
            .Select(known => (known.Name, JsonMarshal.GetRawUtf8Value(Root.GetProperty("parts").GetProperty(known.Name)).ToArray()));
        return Line(JsonMarshal.GetRawUtf8Value(Head), [.. kept], Hash);
    }

    /// <summary>The exchange that the record holds; null when it is of another kind.</summary>
    public AuditEntry? Entry()
    {
        if (Kind != "exchange") return null;
        var exchange = Head.GetProperty("exchange").Deserialize<AuditExchange>(RunJson.Options)!;
        return new(Number, Hash, exchange with
        {
            Conversation = Value<List<Turn>>("conversation"),
            Thinking = Value<string>("thinking"),
            Answer = Value<string>("answer"),
            Error = Value<string>("error"),
        });
    }

    /// <summary>Prepares an exchange: all but its place in the chain.</summary>
    public static Draft Of(AuditExchange exchange, AuditParts withheld)
    {
        List<(string Name, byte[] Json)> parts = [];
        void Add<T>(string name, T? value) where T : class
        {
            if (value is not null) parts.Add((name, Salted(value)));
        }

        Add("conversation", exchange.Conversation);
        Add("thinking", exchange.Thinking);
        Add("answer", exchange.Answer);
        Add("error", exchange.Error);
        return new("exchange", writer =>
        {
            writer.WritePropertyName("exchange");
            JsonSerializer.Serialize(writer, exchange, RunJson.Options);
            writer.WriteStartObject("parts");
            foreach (var (name, json) in parts) writer.WriteString(name, Digest(json));
            writer.WriteEndObject();
            if (withheld != AuditParts.None) Write(writer, "withheld", withheld);
        }, [.. parts.Where(part => !withheld.HasFlag(Names.Single(known => known.Name == part.Name).Part))]);
    }

    /// <summary>A record that says that parts of earlier ones are taken out.</summary>
    public static Draft Redaction(long from, long to, AuditParts parts) => new("redacted", writer =>
    {
        writer.WriteNumber("from", from);
        writer.WriteNumber("to", to);
        Write(writer, "what", parts);
    }, []);

    /// <summary>A record that says that all up to one are deleted.</summary>
    public static Draft Drop(long to, string last) => new("dropped", writer =>
    {
        writer.WriteNumber("to", to);
        writer.WriteString("last", last);
    }, []);

    /// <summary>Parts by their names.</summary>
    public static AuditParts Parts(JsonElement names) => names.EnumerateArray().Aggregate(AuditParts.None, (all, name) => all | Names.FirstOrDefault(known => known.Name == name.GetString()).Part);

    private static AuditParts Members(JsonElement json) => json.TryGetProperty("parts", out var parts)
        ? parts.EnumerateObject().Aggregate(AuditParts.None, (all, part) => all | Names.FirstOrDefault(known => known.Name == part.Name).Part) : AuditParts.None;

    private static void Write(Utf8JsonWriter writer, string name, AuditParts parts)
    {
        writer.WriteStartArray(name);
        foreach (var known in Names.Where(known => parts.HasFlag(known.Part))) writer.WriteStringValue(known.Name);
        writer.WriteEndArray();
    }

    private T? Value<T>(string name) where T : class =>
        Root.TryGetProperty("parts", out var parts) && parts.TryGetProperty(name, out var part) ? part.GetProperty("value").Deserialize<T>(RunJson.Options) : null;

    private static byte[] Salted<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(new { salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), value }, RunJson.Options);

    private static string Digest(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[] Line(ReadOnlySpan<byte> head, IReadOnlyList<(string Name, byte[] Json)> parts, string hash)
    {
        var line = new ArrayBufferWriter<byte>(head.Length + 256);
        line.Write("{\"head\":"u8);
        line.Write(head);
        var first = true;
        foreach (var (name, json) in parts)
        {
            line.Write(Encoding.UTF8.GetBytes($"{(first ? ",\"parts\":{" : ",")}\"{name}\":"));
            line.Write(json);
            first = false;
        }

        line.Write(Encoding.UTF8.GetBytes($"{(first ? "" : "}")},\"hash\":\"{hash}\"}}\n"));
        return line.WrittenSpan.ToArray();
    }

    /// <summary>A record without its place.</summary>
    internal sealed class Draft(string kind, Action<Utf8JsonWriter> write, IReadOnlyList<(string Name, byte[] Json)> parts)
    {
        /// <summary>The line for a place, with its line end, and its hash.</summary>
        public (byte[] Line, string Hash) At(long number, string previous, DateTimeOffset at)
        {
            var head = new ArrayBufferWriter<byte>(512);
            using (var writer = new Utf8JsonWriter(head, new() { Encoder = RunJson.Options.Encoder }))
            {
                writer.WriteStartObject();
                writer.WriteNumber("n", number);
                writer.WriteString("prev", previous);
                writer.WriteString("at", at);
                writer.WriteString("kind", kind);
                write(writer);
                writer.WriteEndObject();
            }

            var hash = Digest(head.WrittenSpan);
            return (Line(head.WrittenSpan, parts, hash), hash);
        }
    }
}
