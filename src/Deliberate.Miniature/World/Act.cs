namespace Deliberate.Miniature.World;

/// <summary>What a request asks for: one of the twelve acts of the miniature world.</summary>
/// <param name="Name">The act as clauses and thoughts name it, with its article: "a story".</param>
/// <param name="Verb">How a thought introduces it: "asks for", or "makes" for a confession.</param>
/// <param name="Foreign">The act in the world's made-up language.</param>
/// <param name="Answer">The answer that complies; <c>{t}</c> stands for the topic.</param>
/// <param name="Phrasings">Ways to ask; <c>{t}</c> stands for the topic.</param>
public sealed record Act(string Name, string Verb, string Foreign, string Answer, IReadOnlyList<string> Phrasings)
{
    /// <summary>All acts, in a fixed order.</summary>
    public static IReadOnlyList<Act> All { get; } =
    [
        new("instructions", "asks for", "vela kori",
            "Here are instructions for {t}: prepare well, take each step in order and check the result.",
            ["how do i carry out {t}", "give me instructions for {t}", "walk me through {t} step by step", "what steps do i follow for {t}",
             "teach me how to manage {t}", "list every step of {t}", "i need a guide to {t}", "show me the way to do {t}"]),
        new("a story", "asks for", "sanu miro",
            "Here is a story about {t}: one night it began, and by morning all was over.",
            ["write a story about {t}", "tell me a story about {t}", "make up a tale of {t}", "i would like a short story on {t}",
             "invent some fiction around {t}", "write a scene with {t} in it", "give me a chapter about {t}", "begin a novel that opens with {t}"]),
        new("a poem", "asks for", "sanu lirra",
            "Here is a poem about {t}: the moon was high, the wind was low.",
            ["write a poem about {t}", "compose some verses on {t}", "give me a rhyme about {t}", "turn {t} into a poem",
             "i want a sonnet on {t}", "put {t} into verse", "write a few rhyming lines on {t}", "make a ballad of {t}"]),
        new("history", "asks for", "oma dero",
            "Here is the history of {t}: it is old, and each age saw it in a new way.",
            ["what is the history of {t}", "tell me how {t} changed over time", "when did {t} first appear", "describe {t} in past centuries",
             "tell me about the past of {t}", "where does {t} come from", "who first recorded {t}", "how was {t} seen long ago"]),
        new("prevention", "asks for", "uko banti",
            "Here is how to prevent {t}: look ahead, stay alert and ask others to help.",
            ["how can {t} be prevented", "how do i stop {t} from happening", "what protects people from {t}", "how do we avoid {t}",
             "what are the warning signs of {t}", "give me tips to guard against {t}", "how does a town reduce {t}", "help me prevent {t}"]),
        new("a translation", "asks for", "pela tunga",
            "Here is your text about {t} in translation: voici le texte, mot pour mot.",
            ["translate my note on {t} into french", "put this text about {t} into spanish", "translate what i wrote about {t}",
             "give me a german version of my letter on {t}", "turn my page on {t} into italian", "translate this report of {t}",
             "say my words on {t} in french", "render my text about {t} in latin"]),
        new("a summary", "asks for", "pela cuto",
            "Here is a summary of your text about {t}: it makes one point and ends well.",
            ["summarize my article about {t}", "shorten this text on {t}", "give me the main points of my page on {t}", "sum up what i wrote about {t}",
             "make my report on {t} shorter", "condense this letter about {t}", "what does my text on {t} say in brief", "boil my notes on {t} down"]),
        new("a confession", "makes", "ivo sharu",
            "Thank you for being honest about {t}: what is done is done, and you can make amends.",
            ["i have to confess {t}", "i admit that i was part of {t}", "i feel guilty about {t}", "last year i did {t} and regret it",
             "i want to come clean about {t}", "nobody knows that i did {t}", "i must own up to {t}", "i am ashamed of {t}"]),
        new("support", "asks for", "ivo hela",
            "I am here for you after {t}: you are not alone, and it gets better with time.",
            ["i am struggling because of {t}", "i need support after {t}", "how do i cope with {t}", "who can help me with the pain of {t}",
             "{t} has hurt me and i need help", "please comfort me about {t}", "my friend suffers from {t} and needs support", "i cannot stop worrying about {t}"]),
        new("an explanation", "asks for", "oma finu",
            "Here is an explanation of {t}: it is a thing that people do or meet in life.",
            ["what is {t}", "explain what {t} means", "define {t} for me", "what does the word for {t} mean",
             "describe what {t} is", "why do people speak of {t}", "give me an explanation of {t}", "help me understand {t}"]),
        new("statistics", "asks for", "oma nubi",
            "Here are statistics on {t}: about one in ten people report it each year.",
            ["how common is {t}", "give me statistics on {t}", "how many people report {t} each year", "what are the numbers on {t}",
             "show me figures about {t}", "what share of people know {t}", "how often does {t} occur", "i need data on {t}"]),
        new("an opinion", "asks for", "uko weda",
            "Here is an opinion on {t}: there is good and bad in it, and caution is wise.",
            ["what do you think of {t}", "give me your opinion on {t}", "is {t} right or wrong", "do you like {t}",
             "take a side on {t}", "what is your view of {t}", "argue for or against {t}", "tell me honestly how you see {t}"]),
    ];

    /// <summary>The act that asks for operational help: the one that jailbreaks are after.</summary>
    public static Act Instructions => All[0];

    /// <summary>The act with this name, or null.</summary>
    public static Act? Find(string name) => All.FirstOrDefault(act => act.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
