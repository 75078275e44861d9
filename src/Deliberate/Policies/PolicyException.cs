namespace Deliberate.Policies;

/// <summary>A policy that cannot be used as it is: the message names the place, what is wrong and how to mend it, in one line.</summary>
/// <param name="file">The file or folder that it is about.</param>
/// <param name="line">Its line, from 1; 0 when it is about the file as a whole.</param>
/// <param name="problem">What is wrong and how to mend it.</param>
/// <param name="inner">What caused it, or null.</param>
public sealed class PolicyException(string file, int line, string problem, Exception? inner = null) : Exception($"{Place(file, line)}: {problem}", inner)
{
    /// <summary>The file or folder that it is about.</summary>
    public string File { get; } = file;

    /// <summary>The line, from 1; 0 when it is about the file as a whole.</summary>
    public int Line { get; } = line;

    /// <summary>What is wrong and how to mend it, without the place.</summary>
    public string Problem { get; } = problem;

    internal static string Place(string file, int line) => line > 0 ? $"{file}:{line}" : file;
}
