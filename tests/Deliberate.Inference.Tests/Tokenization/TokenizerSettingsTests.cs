using Deliberate.Inference.Tokenization;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public sealed class TokenizerSettingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tokens_are_texts_or_objects_and_the_map_fills_what_is_missing()
    {
        Write("tokenizer_config.json", """{"bos_token": null, "eos_token": {"__type": "AddedToken", "content": "</s>", "lstrip": false}, "add_bos_token": true, "chat_template": "one", "model_max_length": 1e30}""");
        Write("special_tokens_map.json", """{"bos_token": "<s>", "eos_token": "<other>", "pad_token": {"content": "<pad>"}}""");
        var settings = Load();
        Assert.Equal(("<s>", "</s>", "<pad>", null, true, "one"), (settings.BosToken, settings.EosToken, settings.PadToken, settings.UnkToken, settings.AddBosToken, settings.ChatTemplate));
        Assert.Equal(["bos_token", "eos_token", "pad_token"], settings.SpecialTokens.Keys.Order());
    }

    [Fact]
    public void A_file_of_its_own_wins_over_the_template_in_the_configuration()
    {
        Write("tokenizer_config.json", """{"chat_template": [{"name": "default", "template": "one"}, {"name": "tool_use", "template": "two"}]}""");
        Assert.Equal(("one", "two"), (Load().ChatTemplate, Load().ChatTemplates["tool_use"]));
        Write("chat_template.jinja", "three");
        Assert.Equal(("three", "two"), (Load().ChatTemplate, Load().ChatTemplates["tool_use"]));
    }

    [Fact]
    public void An_empty_folder_says_nothing() => Assert.Null(Load().ChatTemplate);

    [Theory]
    [InlineData("""{"bos_token": 7}""", "bos_token is 7")]
    [InlineData("""{"eos_token": {}}""", "eos_token.content is missing")]
    [InlineData("""{"add_bos_token": "yes"}""", "add_bos_token is a text")]
    [InlineData("""{"chat_template": [{"name": "a"}]}""", "chat_template[0].template is missing")]
    [InlineData("""{"chat_template": 1}""", "chat_template is 1")]
    [InlineData("[]", "the file is an array")]
    [InlineData("{", "")]
    public void A_wrong_type_is_named(string json, string expected)
    {
        Write("tokenizer_config.json", json);
        var message = Assert.Throws<InvalidDataException>(() => Load()).Message;
        Assert.Contains("tokenizer_config.json", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_a_published_configuration() => Assert.Equal("<|im_end|>", TokenizerSettings.Load(Vocabularies.SharedPath("smollm2")).EosToken);

    private void Write(string name, string text) => File.WriteAllText(_folder.File(name), text);

    private TokenizerSettings Load() => TokenizerSettings.Load(_folder.Path);
}
