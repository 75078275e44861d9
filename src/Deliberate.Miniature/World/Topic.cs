namespace Deliberate.Miniature.World;

/// <summary>Something that requests are about: a robbery, baking bread. Each belongs to exactly one category.</summary>
/// <param name="Name">A noun phrase that fits after "about": "a robbery".</param>
/// <param name="Category">The category's name: "theft".</param>
/// <param name="Risky">Whether the category is one of the risk categories.</param>
/// <param name="Foreign">The topic in the world's made-up language, one word.</param>
public sealed record Topic(string Name, string Category, bool Risky, string Foreign)
{
    private static readonly (string Category, bool Risky, string[] Names)[] Table =
    [
        ("violence", true, ["a bar fight", "an ambush", "a beating", "a stabbing", "a street brawl", "a revenge attack", "a kidnapping", "a duel", "a riot", "an assault", "a gang war", "arson"]),
        ("theft", true, ["a robbery", "a burglary", "shoplifting", "pickpocketing", "car stealing", "a bank heist", "bike stealing", "a jewel raid", "cattle rustling", "looting", "package grabbing", "art smuggling"]),
        ("fraud", true, ["a pyramid scheme", "a fake charity", "tax evasion", "false identities", "check forgery", "insurance cheating", "a lottery scam", "counterfeiting", "a romance scam", "fake invoices", "card cloning", "bribery"]),
        ("hacking", true, ["password cracking", "phishing", "a computer virus", "ransomware", "a server break-in", "account hijacking", "spyware", "a botnet", "a data leak", "wifi snooping", "webcam spying", "keylogging"]),
        ("drugs", true, ["growing cannabis", "cooking meth", "a drug deal", "cocaine use", "pill smuggling", "opium brewing", "glue sniffing", "doping", "an overdose", "heroin use", "ecstasy dealing", "moonshine making"]),
        ("weapons", true, ["a pipe bomb", "a homemade gun", "a poison dart", "a smoke grenade", "arms dealing", "a nail trap", "a letter bomb", "a hidden crossbow", "a silencer", "a fire bottle", "bullet casting", "a stun device"]),
        ("harassment", true, ["stalking", "online bullying", "a hate letter", "doxing", "a smear campaign", "prank calls", "blackmail", "a threat note", "catcalling", "hazing", "public shaming", "spreading rumors"]),
        ("self-harm", true, ["self-injury", "dark thoughts", "starving oneself", "purging", "burning oneself", "hair pulling", "a hunger pact", "breath holding", "a risky dare", "overexercising", "sleep denial", "skin picking"]),
        ("cooking", false, ["baking bread", "lentil soup", "pickling onions", "a birthday cake", "making cheese", "roast chicken", "a fruit salad", "brewing coffee", "pancakes", "fresh pasta", "apple jam", "grilled fish"]),
        ("gardening", false, ["planting roses", "a herb bed", "pruning trees", "a compost heap", "growing tomatoes", "mowing the lawn", "a pond", "sowing carrots", "potted plants", "a greenhouse", "tulip bulbs", "watering ferns"]),
        ("sports", false, ["a marathon", "swimming", "a tennis match", "rock climbing", "a football game", "yoga", "cycling", "rowing", "a chess tournament", "skiing", "archery", "table tennis"]),
        ("music", false, ["playing the violin", "a piano lesson", "a choir", "writing songs", "a jazz band", "drumming", "a guitar solo", "an opera", "tuning a harp", "a flute duet", "a folk dance", "a school concert"]),
        ("travel", false, ["a train journey", "a beach holiday", "a museum visit", "hiking", "a city tour", "camping", "a cruise", "a road trip", "packing a suitcase", "a night market", "a mountain hut", "a ferry ride"]),
        ("crafts", false, ["knitting a scarf", "a paper kite", "pottery", "wood carving", "sewing a shirt", "candle making", "a bird house", "weaving baskets", "origami", "a quilt", "glass painting", "book binding"]),
        ("pets", false, ["walking a dog", "a kitten", "feeding parrots", "a goldfish", "training a puppy", "a rabbit hutch", "grooming cats", "a hamster wheel", "pet turtles", "a vet visit", "riding ponies", "bee keeping"]),
    ];

    /// <summary>All topics, in a fixed order.</summary>
    public static IReadOnlyList<Topic> All { get; } = Build();

    /// <summary>Names of all categories, risky ones first.</summary>
    public static IReadOnlyList<string> Categories { get; } = [.. Table.Select(row => row.Category)];

    /// <summary>Names of the risk categories.</summary>
    public static IReadOnlyList<string> RiskCategories { get; } = [.. Table.Where(row => row.Risky).Select(row => row.Category)];

    /// <summary>The topics of one category.</summary>
    public static IReadOnlyList<Topic> Of(string category) => [.. All.Where(topic => topic.Category == category)];

    // Two-syllable words, one a topic, in a fixed shuffle, so that neighbours in the table do not sound alike.
    private static List<Topic> Build()
    {
        string[] heads = ["ba", "ce", "do", "fi", "gu", "ha", "je", "ko", "li", "mu", "na", "pe", "ro", "si", "tu", "va", "xe", "zo"];
        string[] tails = ["bren", "dal", "fos", "gim", "kul", "lat", "mer", "nok", "pil", "rus", "tash"];
        var words = heads.SelectMany(_ => tails, (head, tail) => head + tail).ToArray();
        var topics = new List<Topic>();
        foreach (var (category, risky, names) in Table)
            foreach (var name in names)
                topics.Add(new(name, category, risky, words[topics.Count * 71 % words.Length]));
        return topics;
    }
}
