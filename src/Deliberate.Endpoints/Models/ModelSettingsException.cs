namespace Deliberate.Endpoints.Models;

/// <summary>A model's name or settings that cannot be used: the message says in one line where, what and how to mend it.</summary>
/// <param name="problem">What is wrong and how to mend it.</param>
/// <param name="file">The file, or null when it is not about one.</param>
/// <param name="line">The line in it, from 1; 0 when it is about the file as a whole.</param>
/// <param name="inner">What caused it, or null.</param>
public sealed class ModelSettingsException(string problem, string? file = null, int line = 0, Exception? inner = null)
    : Exception(file is null ? problem : line > 0 ? $"{file}:{line}: {problem}" : $"{file}: {problem}", inner)
{
    /// <summary>The file, or null.</summary>
    public string? File { get; } = file;

    /// <summary>The line, from 1; 0 when it is about the file as a whole.</summary>
    public int Line { get; } = line;

    /// <summary>What is wrong and how to mend it, without the place.</summary>
    public string Problem { get; } = problem;
}
