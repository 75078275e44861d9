using System.CommandLine;

namespace Deliberate.Cli.Commands;

/// <summary>A command that keeps finished work and goes on with it when it is given again.</summary>
internal interface IResumable
{
    /// <summary>The folder that the work is kept in.</summary>
    string KeptIn(ParseResult parse);
}
