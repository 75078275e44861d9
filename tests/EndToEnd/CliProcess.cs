using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Deliberate.EndToEnd.Tests;

/// <summary>What a finished process leaves.</summary>
internal sealed record CliResult(int Code, string Out, string Err)
{
    public string[] ErrorLines => Err.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>The built program as a real process, with its output read line by line.</summary>
internal sealed partial class CliProcess : IDisposable
{
    private const int SigTerm = 15;

    private readonly Process _process;
    private readonly List<string> _out = [], _err = [];
    private readonly Task _reading;
    private readonly List<(Predicate<string> Line, TaskCompletionSource Seen)> _awaited = [];

    private CliProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput, _out), ReadAsync(process.StandardError, _err));
    }

    /// <summary>Starts the program in the repository's folder.</summary>
    public static CliProcess Start(params IEnumerable<string> args)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet", [Shipped.Program, .. args])
        {
            WorkingDirectory = Shipped.Repository,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("DELIBERATE_DEBUG");
        return new(Process.Start(start)!);
    }

    /// <summary>Runs the program to its end.</summary>
    public static Task<CliResult> RunAsync(params IEnumerable<string> args) => RunWithInputAsync("", args);

    /// <summary>Runs the program to its end with this input.</summary>
    public static async Task<CliResult> RunWithInputAsync(string input, params IEnumerable<string> args)
    {
        using var process = Start(args);
        await process._process.StandardInput.WriteAsync(input);
        return await process.EndAsync();
    }

    /// <summary>Waits until a line of the error stream fits; false when the program ends before.</summary>
    public async Task<bool> SeesAsync(Predicate<string> line)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_awaited)
        {
            if (_err.Exists(line)) return true;
            _awaited.Add((line, seen));
        }

        return await Task.WhenAny(seen.Task, _reading) == seen.Task || seen.Task.IsCompleted;
    }

    /// <summary>Asks the program to terminate, as Ctrl-C does.</summary>
    public void Terminate() => _ = Signal(_process.Id, SigTerm);

    /// <summary>Whether it has come to its end.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Ends the program as kill -9 does.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Waits for the end.</summary>
    public async Task<CliResult> EndAsync()
    {
        _process.StandardInput.Close();
        await _reading;
        await _process.WaitForExitAsync();
        return new(_process.ExitCode, Text(_out), Text(_err));
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Signal(int process, int signal);

    private static string Text(List<string> lines) => string.Concat(lines.Select(line => line + "\n"));

    private async Task ReadAsync(StreamReader reader, List<string> lines)
    {
        while (await reader.ReadLineAsync() is { } line)
            lock (_awaited)
            {
                lines.Add(line);
                if (lines != _err) continue;
                foreach (var (fits, seen) in _awaited)
                    if (fits(line)) seen.TrySetResult();
            }
    }
}
