using System.Text;

namespace Deliberate.Conversations;

/// <summary>Where a text begins that a splitter reads.</summary>
public enum ThoughtStart
{
    /// <summary>Not known: text is held back until the first mark or the end shows what it was.</summary>
    Unknown,

    /// <summary>Inside the thought: the prompt ended with its opening mark.</summary>
    Thought,

    /// <summary>Outside a thought.</summary>
    Answer,
}

/// <summary>A piece of what a model wrote.</summary>
/// <param name="IsThought">True when it belongs to the thought, false when it is shown.</param>
/// <param name="Text">The text, without the marks.</param>
public readonly record struct SplitText(bool IsThought, string Text);

/// <summary>
/// Splits a text that comes in pieces into thought and answer: tags as <see cref="CompletionReader"/> knows them, and the channels of
/// the harmony format, of which only <c>final</c> is an answer. A mark may be cut anywhere: what could be the beginning of one is held
/// back, and the pieces together are the same wherever the text was cut.
/// </summary>
/// <remarks>
/// Where a thought ends after some answer has already been given out, a closing tag is put into the answer, so that
/// <see cref="CompletionReader"/> counts as thought what came before it, as it does for the whole text. Not thread-safe.
/// </remarks>
public sealed class ThoughtSplitter(ThoughtStart start = ThoughtStart.Unknown)
{
    /// <summary>The text of the part that is put between an answer and what follows it where the answer turns out to have been thought.</summary>
    public const string LateClose = ThoughtMarks.Close;

    private enum State
    {
        Unknown,
        Thought,
        Answer,
        Header,
        Between,
    }

    private readonly StringBuilder _pending = new();
    private readonly StringBuilder _held = new();
    private readonly StringBuilder _header = new();
    private readonly List<SplitText> _parts = [];
    private State _state = start switch { ThoughtStart.Thought => State.Thought, ThoughtStart.Answer => State.Answer, _ => State.Unknown };
    private bool _harmony;
    private bool _answered;
    private bool _shown;
    private bool _fresh = true;
    private bool _thought;

    /// <summary>True when the text, as far as it has come, ends before or inside a thought that something began.</summary>
    public bool Unclosed => _state switch { State.Thought or State.Header => true, State.Between => !_answered, _ => false };

    /// <summary>Says that the thought comes apart from this text, which therefore begins with the answer unless a mark was seen before.</summary>
    public IReadOnlyList<SplitText> ThoughtIsApart()
    {
        _parts.Clear();
        if (_state == State.Unknown) ShowHeld();
        return [.. _parts];
    }

    /// <summary>Takes the next piece and returns what it makes certain.</summary>
    public IReadOnlyList<SplitText> Add(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        _parts.Clear();
        _pending.Append(text);
        var rest = _pending.ToString();
        _pending.Clear();
        while (ThoughtMarks.Find(rest, _harmony, out var mark) is var at && at >= 0)
        {
            Emit(rest[..at]);
            rest = rest[(at + mark.Text.Length)..];
            Handle(mark);
        }

        var certain = rest.Length - ThoughtMarks.Hold(rest, _harmony);
        Emit(rest[..certain]);
        _pending.Append(rest, certain, rest.Length - certain);
        return [.. _parts];
    }

    /// <summary>Ends the text and returns what was still held back.</summary>
    public IReadOnlyList<SplitText> Finish()
    {
        _parts.Clear();
        Emit(_pending.ToString());
        _pending.Clear();
        if (_state != State.Unknown) return [.. _parts];
        if (ThoughtMarks.BareChannels(_held.ToString()) is var (thinking, answer))
        {
            _held.Clear();
            _state = answer is null ? State.Thought : State.Answer;
            Part(true, thinking);
            if (answer is not null) Part(false, answer);
        }
        else
        {
            ShowHeld();
        }

        return [.. _parts];
    }

    private void Emit(string text)
    {
        if (text.Length == 0) return;
        switch (_state)
        {
            case State.Unknown: _held.Append(text); break;
            case State.Header: _header.Append(text); break;
            case State.Answer: Show(text); break;
            default: Think(text); break;
        }
    }

    private void Handle(ThoughtMark mark)
    {
        switch (mark.Kind)
        {
            case ThoughtMarkKind.Open when _state != State.Header:
                if (_state == State.Unknown) ShowHeld();
                BeginThought();
                break;
            case ThoughtMarkKind.Close when _state != State.Header:
                if (_state == State.Unknown) ThinkHeld();
                BeginAnswer();
                break;
            case ThoughtMarkKind.Channel:
                _harmony = true;
                if (_state == State.Unknown) ThinkHeld();
                (_state, _header.Length) = (State.Header, 0);
                break;
            case ThoughtMarkKind.Start:
                (_state, _header.Length) = (State.Header, 0);
                break;
            case ThoughtMarkKind.Message when _state == State.Header:
                if (ThoughtMarks.IsFinal(_header.ToString())) BeginAnswer();
                else BeginThought();
                break;
            case ThoughtMarkKind.End:
                _answered = _state == State.Answer || (_state == State.Between && _answered);
                _state = State.Between;
                break;
        }
    }

    private void BeginThought()
    {
        if (_state == State.Thought) return;
        _state = State.Thought;
        if (_thought) Part(true, "\n");
    }

    private void BeginAnswer()
    {
        if (_shown) Part(false, LateClose);
        (_state, _shown, _fresh) = (State.Answer, false, true);
    }

    private void ShowHeld()
    {
        var held = _held.ToString();
        _held.Clear();
        _state = State.Answer;
        Show(held);
    }

    private void ThinkHeld()
    {
        var held = _held.ToString();
        _held.Clear();
        // A reply in the harmony format may begin with the words that open a message, which are no thought.
        var header = held.LastIndexOf("<|start|>", StringComparison.Ordinal);
        if (header >= 0 && _harmony) held = held[..header];
        Think(held);
    }

    private void Think(string text)
    {
        if (text.Length == 0) return;
        _thought = true;
        Part(true, text);
    }

    private void Show(string text)
    {
        if (_fresh) text = text.TrimStart();
        if (text.Length == 0) return;
        (_fresh, _shown) = (false, true);
        Part(false, text);
    }

    private void Part(bool thought, string text)
    {
        if (text.Length > 0) _parts.Add(new(thought, text));
    }
}
