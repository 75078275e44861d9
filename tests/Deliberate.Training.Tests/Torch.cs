using Deliberate.Training.Native;
using Xunit;

[assembly: AssemblyFixture(typeof(Deliberate.Training.Tests.Torch))]

namespace Deliberate.Training.Tests;

/// <summary>Prepares libtorch before the first test, in whatever order they come: a test that calls TorchSharp on its own must not be the one that loads it.</summary>
public sealed class Torch
{
    public Torch() => TorchLibrary.Initialize();
}
