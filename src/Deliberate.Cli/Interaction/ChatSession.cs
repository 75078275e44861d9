using Deliberate.Endpoints;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Interaction;

/// <summary>
/// A conversation on the terminal: one prompt a line. Answers go to the results, and so do thoughts when they are shown; a model
/// that keeps its thoughts hidden gives no sign of them.
/// </summary>
internal sealed class ChatSession(Terminal terminal, IChatClient client, string name, IReadOnlyList<ChatMessage> system, bool showThinking)
{
    private const string Dim = "\e[2m", Bold = "\e[1;33m", Normal = "\e[0m";

    private readonly List<ChatMessage> _history = [.. system];

    /// <summary>Talks until the input ends or /quit.</summary>
    /// <returns>One of <see cref="ExitCodes"/>: a failure when a prompt could not be answered.</returns>
    public async Task<int> RunAsync(CancellationToken cancel = default)
    {
        if (terminal.InputTyped) terminal.Note($"talking to {name}; /reset forgets the conversation, /quit ends it.");
        var code = ExitCodes.Success;
        while (await NextLineAsync(cancel) is { } line)
        {
            switch (line.Trim())
            {
                case "":
                    continue;
                case "/quit":
                    return code;
                case "/reset":
                    _history.RemoveRange(system.Count, _history.Count - system.Count);
                    terminal.Note("the conversation is forgotten.");
                    continue;
                case ['/', ..] command:
                    terminal.Note($"no command {command}; there are /reset and /quit.");
                    continue;
                case var prompt:
                    if (!await AnswerAsync(prompt, cancel)) code = ExitCodes.Failure;
                    continue;
            }
        }

        return code;
    }

    private async Task<string?> NextLineAsync(CancellationToken cancel)
    {
        if (terminal.InputTyped)
        {
            terminal.Notes.Write("> ");
            terminal.Notes.Flush();
        }

        // The console's own reader ignores cancellation while it waits.
        return await Task.Run(terminal.Input.ReadLine, cancel).WaitAsync(cancel);
    }

    private async Task<bool> AnswerAsync(string prompt, CancellationToken cancel)
    {
        var before = _history.Count;
        _history.Add(new ChatMessage(ChatRole.User, prompt));
        try
        {
            var answer = new System.Text.StringBuilder();
            var thought = new ThoughtWriter(terminal, showThinking);
            ChatFinishReason? reason = null;
            await foreach (var update in client.GetStreamingResponseAsync(_history, null, cancel))
            {
                reason = update.FinishReason ?? reason;
                foreach (var content in update.Contents)
                {
                    if (content is TextReasoningContent reasoning)
                    {
                        thought.Add(reasoning.Text);
                    }
                    else if (content is TextContent text)
                    {
                        thought.Finish();
                        // A thought's end and an answer's beginning may be parted by blanks.
                        var piece = answer.Length == 0 ? text.Text.TrimStart() : text.Text;
                        answer.Append(piece);
                        Write(piece);
                    }
                }
            }

            thought.Finish();
            terminal.Results.WriteLine();
            terminal.Results.Flush();
            if (reason == ChatFinishReason.Length) terminal.Note(answer.Length == 0 ? "the thought did not come to an end, so there is no answer." : "the answer is cut off: it is too long.");
            _history.Add(new ChatMessage(ChatRole.Assistant, answer.ToString().Trim()));
            return true;
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or InvalidDataException or EndpointException)
        {
            // Most often the conversation has outgrown the model's context, or its server does not answer; the talk can go on without this turn.
            _history.RemoveRange(before, _history.Count - before);
            Failures.Tell(terminal, problem is InvalidOperationException ? new InvalidDataException(problem.Message, problem) : problem);
            if (before > system.Count) terminal.Note("/reset begins anew.");
            return false;
        }
    }

    private void Write(string text)
    {
        terminal.Results.Write(text);
        terminal.Results.Flush();
    }

    /// <summary>Writes a thought while it comes: dim with bright codes on a terminal, after "thinking: " elsewhere.</summary>
    private sealed class ThoughtWriter(Terminal terminal, bool shown)
    {
        private readonly ClauseHighlighter _highlighter = new();
        private string _blanks = "";
        private bool _open;

        public void Add(string piece)
        {
            if (!shown) return;
            if (!_open)
            {
                piece = piece.TrimStart();
                if (piece.Length == 0) return;
                _open = true;
                terminal.Results.Write(terminal.ResultsStyled ? Dim : "thinking: ");
            }

            // Blanks before the end are not the thought's but its marks'.
            piece = _blanks + piece;
            _blanks = piece[piece.TrimEnd().Length..];
            piece = piece[..^_blanks.Length];
            foreach (var (text, isCode) in _highlighter.Add(piece)) Part(text, isCode);
            terminal.Results.Flush();
        }

        public void Finish()
        {
            if (!_open) return;
            (_open, _blanks) = (false, "");
            terminal.Results.Write(_highlighter.Finish());
            terminal.Results.WriteLine(terminal.ResultsStyled ? Normal : "");
        }

        private void Part(string text, bool isCode) => terminal.Results.Write(isCode && terminal.ResultsStyled ? $"{Normal}{Bold}{text}{Normal}{Dim}" : text);
    }
}
