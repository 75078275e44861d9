using Microsoft.Extensions.Logging;

namespace Deliberate.Cli.Interaction;

/// <summary>Writes log lines to the notes of a terminal.</summary>
internal sealed class TerminalLogger(Terminal terminal) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Category(terminal, categoryName);

    public void Dispose()
    {
    }

    private sealed class Category(Terminal terminal, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        // The message alone: an exception's own may quote what a request or a model said.
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            terminal.Note($"{logLevel.ToString().ToLowerInvariant()}: {name}: {formatter(state, null)}{(exception is null ? "" : $" ({exception.GetType().Name})")}");
    }
}
