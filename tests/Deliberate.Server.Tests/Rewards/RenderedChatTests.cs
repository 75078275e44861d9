using CsCheck;
using Deliberate.Conversations;
using Deliberate.Server.Rewards;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

public class RenderedChatTests
{
    private const string System = "You are a librarian.", First = "Which roses climb?", Said = "Many do.", Last = "How do I prune\none of them?";

    /// <summary>A conversation of four turns as the templates of each family render it, what the model then writes, and how a turn ends.</summary>
    private static readonly Dictionary<string, (string Prompt, string Open, string Close, string End)> Families = new()
    {
        ["ChatML"] = ($"<|im_start|>system\n{System}<|im_end|>\n<|im_start|>user\n{First}<|im_end|>\n<|im_start|>assistant\n{Said}<|im_end|>\n<|im_start|>user\n{Last}<|im_end|>\n<|im_start|>assistant\n", "<think>\n", "\n</think>\n\n", "<|im_end|>"),
        ["ChatML, thought opened by the template"] = ($"<|im_start|>system\n{System}<|im_end|>\n<|im_start|>user\n{First}<|im_end|>\n<|im_start|>assistant\n{Said}<|im_end|>\n<|im_start|>user\n{Last}<|im_end|>\n<|im_start|>assistant\n<think>\n", "", "\n</think>\n\n", "<|im_end|>\n<|endoftext|><|endoftext|>"),
        ["Phi 4"] = ($"<|im_start|>system<|im_sep|>{System}<|im_end|><|im_start|>user<|im_sep|>{First}<|im_end|><|im_start|>assistant<|im_sep|>{Said}<|im_end|><|im_start|>user<|im_sep|>{Last}<|im_end|><|im_start|>assistant<|im_sep|>", "<think>", "</think>", "<|im_end|>"),
        ["Llama 3"] = ($"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{System}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{First}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{Said}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{Last}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", "<thinking>", "</thinking>", "<|eot_id|><|finetune_right_pad_id|>"),
        ["Llama 4"] = ($"<|begin_of_text|><|header_start|>system<|header_end|>\n\n{System}<|eot|><|header_start|>user<|header_end|>\n\n{First}<|eot|><|header_start|>assistant<|header_end|>\n\n{Said}<|eot|><|header_start|>user<|header_end|>\n\n{Last}<|eot|><|header_start|>assistant<|header_end|>\n\n", "<think>", "</think>", "<|eot|>"),
        ["Gemma"] = ($"<bos><start_of_turn>system\n{System}<end_of_turn>\n<start_of_turn>user\n{First}<end_of_turn>\n<start_of_turn>model\n{Said}<end_of_turn>\n<start_of_turn>user\n{Last}<end_of_turn>\n<start_of_turn>model\n", "<thought>", "</thought>", "<end_of_turn><eos><pad>"),
        ["Mistral"] = ($"<s>[SYSTEM_PROMPT]{System}[/SYSTEM_PROMPT][INST]{First}[/INST]{Said}</s>[INST]{Last}[/INST]", "[THINK]", "[/THINK]", "</s>"),
        ["Llama 2"] = ($"<s>[INST] <<SYS>>\n{System}\n<</SYS>>\n\n{First} [/INST] {Said} </s><s>[INST] {Last} [/INST]", "<reasoning>", "</reasoning>", "</s>"),
        ["DeepSeek"] = ($"<｜begin▁of▁sentence｜>{System}<｜User｜>{First}<｜Assistant｜>{Said}<｜end▁of▁sentence｜><｜User｜>{Last}<｜Assistant｜><think>\n", "", "</think>\n\n", "<｜end▁of▁sentence｜>"),
        ["Phi 3"] = ($"<|system|>\n{System}<|end|>\n<|user|>\n{First}<|end|>\n<|assistant|>\n{Said}<|end|>\n<|user|>\n{Last}<|end|>\n<|assistant|>\n", "<think>", "</think>", "<|end|><|endoftext|>"),
        ["GLM"] = ($"[gMASK]<sop><|system|>\n{System}<|user|>\n{First}<|assistant|>\n{Said}<|user|>\n{Last}<|assistant|>\n", "<think>", "</think>\n", "<|endoftext|>"),
        ["Granite"] = ($"<|start_of_role|>system<|end_of_role|>{System}<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>{First}<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>{Said}<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>{Last}<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>", "<think>", "</think>", "<|end_of_text|>"),
        ["Command"] = ($"<BOS_TOKEN><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{System}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>{First}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{Said}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>{Last}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "<think>", "</think>", "<|END_OF_TURN_TOKEN|>"),
        ["Kimi"] = ($"<|im_system|>system<|im_middle|>{System}<|im_end|><|im_user|>user<|im_middle|>{First}<|im_end|><|im_assistant|>assistant<|im_middle|>{Said}<|im_end|><|im_user|>user<|im_middle|>{Last}<|im_end|><|im_assistant|>assistant<|im_middle|>", "<think>", "</think>", "<|im_end|>"),
        ["Command A"] = ($"<BOS_TOKEN><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{System}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>{First}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_RESPONSE|>{Said}<|END_RESPONSE|><|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>{Last}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>", "<|END_RESPONSE|><|END_OF_TURN_TOKEN|>"),
        ["Seed-OSS"] = ($"<seed:bos>system\n{System}<seed:eos><seed:bos>user\n{First}<seed:eos><seed:bos>assistant\n{Said}<seed:eos><seed:bos>user\n{Last}<seed:eos><seed:bos>assistant\n", "<seed:think>", "</seed:think>\n", "<seed:eos>"),
        ["EXAONE"] = ($"[|system|]\n{System}[|endofturn|]\n[|user|]\n{First}[|endofturn|]\n[|assistant|]\n{Said}[|endofturn|]\n[|user|]\n{Last}[|endofturn|]\n[|assistant|]\n<think>\n", "", "\n</think>\n\n", "[|endofturn|]"),
        ["Jamba"] = ($"<|startoftext|><|bom|><|system|> {System}<|eom|><|bom|><|user|> {First}<|eom|><|bom|><|assistant|> {Said}<|eom|><|bom|><|user|> {Last}<|eom|><|bom|><|assistant|> ", "<think>", "</think>", "<|eom|>"),
        ["Apertus"] = ($"<s><|system_start|>{System}<|system_end|><|user_start|>{First}<|user_end|><|assistant_start|>{Said}<|assistant_end|><|user_start|>{Last}<|user_end|><|assistant_start|>", "<think>", "</think>", "<|assistant_end|>"),
        ["Apriel"] = ($"<|begin_system|>\n{System}\n<|begin_user|>\n{First}\n<|begin_assistant|>\n{Said}\n<|end|>\n<|begin_user|>\n{Last}\n<|begin_assistant|>\n", "<thinking>", "</thinking>\n", "\n<|end|>"),
        ["Nemotron"] = ($"<SPECIAL_10>System\n{System}\n<SPECIAL_11>User\n{First}\n<SPECIAL_11>Assistant\n{Said}\n<SPECIAL_12>\n<SPECIAL_11>User\n{Last}\n<SPECIAL_11>Assistant\n<think>\n", "", "\n</think>\n\n", "\n<SPECIAL_12>"),
        ["GigaChat"] = ($"<s>system<|role_sep|>\n{System}<|message_sep|>\n\nuser<|role_sep|>\n{First}<|message_sep|>\n\nassistant<|role_sep|>\n{Said}<|message_sep|>\n\nuser<|role_sep|>\n{Last}<|message_sep|>\n\nassistant<|role_sep|>\n", "<think>", "</think>", "<|message_sep|>\n\n"),
        ["OpenChat"] = ($"<s>{System}<|end_of_turn|>GPT4 Correct User: {First}<|end_of_turn|>GPT4 Correct Assistant: {Said}<|end_of_turn|>GPT4 Correct User: {Last}<|end_of_turn|>GPT4 Correct Assistant:", "<think>", "</think>", "<|end_of_turn|>"),
        ["harmony"] = ($"<|start|>system<|message|>{System}<|end|><|start|>user<|message|>{First}<|end|><|start|>assistant<|channel|>analysis<|message|>MARKER-OF-OLD<|end|><|start|>assistant<|channel|>final<|message|>{Said}<|end|><|start|>user<|message|>{Last}<|end|><|start|>assistant", "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>", "<|return|>"),
        ["harmony, thought opened by the template"] = ($"<|start|>system<|message|>{System}<|end|><|start|>user<|message|>{First}<|end|><|start|>assistant<|channel|>final<|message|>{Said}<|end|><|start|>user<|message|>{Last}<|end|><|start|>assistant<|channel|>analysis<|message|>", "", "<|end|><|start|>assistant<|channel|>final<|message|>", "<|return|>"),
    };

    public static TheoryData<string> Names => [.. Families.Keys];

    private static readonly Conversation Expected = new([new(Role.System, System), new(Role.User, First), new(Role.Assistant, Said), new(Role.User, Last)]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Turns_and_answer_are_recovered(string name)
    {
        var (prompt, open, close, end) = Families[name];
        Assert.Equal((Expected, new Completion(CompletionReader.SomeThought, "Cut above a bud.")), RenderedChat.Read(prompt, $"{prompt}{open}Clause G1.{close}Cut above a bud.{end}"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_unfinished_thought_leaves_no_answer(string name)
    {
        var (prompt, open, _, end) = Families[name];
        Assert.Equal((Expected, new Completion(CompletionReader.SomeThought, "", true)), RenderedChat.Read(prompt, $"{prompt}{open}Clause G1."));
        Assert.Equal("", RenderedChat.Read(prompt, $"{prompt}{open}Clause G1.{end}")!.Value.Completion.Answer);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Turns_that_the_model_invents_are_no_turns(string name)
    {
        var (prompt, open, close, _) = Families[name];
        var (conversation, completion) = RenderedChat.Read(prompt, $"{prompt}{open}x{close}No.{prompt}{open}x{close}")!.Value;
        Assert.Equal(Expected, conversation);
        Assert.DoesNotContain("MARKER", completion.Answer, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plain_prompt_is_one_turn()
    {
        Assert.Equal((Conversation.FromUser("How?"), new Completion(CompletionReader.SomeThought, "So.")), RenderedChat.Read("How?", "How?<think>x</think>So.</s>"));
        Assert.Equal(Conversation.FromUser("What do [INST] and <|im_start|>user mean?"), RenderedChat.Read("What do [INST] and <|im_start|>user mean?", "What do [INST] and <|im_start|>user mean? They mark turns.")!.Value.Conversation);
    }

    [Fact]
    public void Marks_of_another_family_within_a_turn_are_text()
    {
        var prompt = "<|im_start|>user\nWhat is [INST] in </s> and <start_of_turn>user\n?<|im_end|>\n<|im_start|>assistant\n";
        Assert.Equal(Conversation.FromUser("What is [INST] in </s> and <start_of_turn>user\n?"), RenderedChat.Read(prompt, prompt + "Marks.")!.Value.Conversation);
        Assert.Equal("It <s>was</s> is a mark.", RenderedChat.Read(prompt, prompt + "It <s>was</s> is a mark.<|im_end|>")!.Value.Completion.Answer);
    }

    [Fact]
    public void The_beginning_of_an_answer_that_the_prompt_holds_is_part_of_it()
    {
        var prompt = "<|im_start|>user\nHow?<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\nSure, ";
        Assert.Equal(new Completion("", "Sure, like this."), RenderedChat.Read(prompt, prompt + "like this.<|im_end|>")!.Value.Completion);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_a_tokenizer_does_to_a_prompt_is_seen_through(string name)
    {
        var (prompt, open, close, end) = Families[name];
        var rest = $"{open}t{close}Yes.{end}";
        foreach (var query in new[] { $"<s> {prompt}{rest}", $"<|begin_of_text|>{prompt}{rest}", $"{prompt.Replace("<|", " <|", StringComparison.Ordinal)}{rest}", $"{prompt[(prompt.IndexOf("roses", StringComparison.Ordinal) + 2)..]}{rest}" })
            Assert.Equal((Expected, "Yes."), RenderedChat.Read(prompt, query) is var (conversation, completion) ? (conversation, completion.Answer) : default);
        Assert.Null(RenderedChat.Read(prompt, $"Something else.{rest}"));
    }

    [Fact]
    public void No_text_is_too_strange() => Gen.Select(Gen.OneOf("<", "|", "[INST]", "[/INST]", "<|im_start|>", "<|im_end|>", "user\n", "assistant", "<|start|>", "<|channel|>", "<|message|>", "final", "<think>", "</think>", "<s>", "</s>", "<｜User｜>", "<<SYS>>", "<</SYS>>", "a", " ", "\n", "\ud800").Array[0, 12], Gen.Int[0, 12])
        .Sample((parts, cut) =>
        {
            var (prompt, response) = (string.Concat(parts.Take(cut)), string.Concat(parts.Skip(cut)));
            Assert.NotNull(RenderedChat.Read(prompt, prompt + response));
        }, iter: 20_000);

    /// <summary>The names of the families, for other tests.</summary>
    internal static IReadOnlyList<string> All { get; } = [.. Families.Keys];

    /// <summary>A family's prompt and the marks of a thought and of the end.</summary>
    internal static (string Prompt, string Open, string Close, string End) Of(string name) => Families[name];
}
