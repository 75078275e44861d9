using Xunit;

namespace Deliberate.Architecture.Tests;

public class RoomTests
{
    public static TheoryData<string> Projects => [.. Rooms.Projects.Keys.Order()];

    [Fact]
    public void Every_project_is_a_room_with_a_height() => Assert.Empty(Rooms.Projects.Keys.Except(Rooms.Heights.Keys));

    [Theory]
    [MemberData(nameof(Projects))]
    public void References_run_downward_only(string project) =>
        Assert.All(Rooms.ProjectReferences(project), other => Assert.True(Rooms.Heights[other] < Rooms.Heights[project], $"{project} must not refer to {other}"));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Built_assemblies_use_lower_rooms_only(string project)
    {
        var used = Rooms.AssemblyReferences(project);
        Assert.NotEmpty(used);
        Assert.All(used.Where(Rooms.Heights.ContainsKey), other => Assert.True(Rooms.Heights[other] < Rooms.Heights[project], $"{project} must not use {other}"));
    }

    [Theory]
    [InlineData("Deliberate")]
    [InlineData("Deliberate.Inference")]
    [InlineData("Deliberate.Miniature")]
    public void The_method_and_the_engine_know_no_libtorch_no_web_server_and_no_console(string project) =>
        AssertUsesNone(project, "TorchSharp", "libtorch", "Microsoft.AspNetCore", "System.Net.HttpListener", "System.Console", "Spectre.Console", "System.CommandLine");

    [Theory]
    [InlineData("Deliberate.Training")]
    [InlineData("Deliberate.Pipeline")]
    public void Training_knows_no_web_server_and_no_console(string project) =>
        AssertUsesNone(project, "Microsoft.AspNetCore", "System.Net.HttpListener", "System.Console", "Spectre.Console", "System.CommandLine");

    [Fact]
    public void Nothing_but_the_command_line_is_a_program() =>
        Assert.Equal(["Deliberate.Cli"], Rooms.Projects.Where(project => File.ReadAllText(project.Value).Contains("<OutputType>", StringComparison.Ordinal)).Select(project => project.Key));

    private static void AssertUsesNone(string project, params string[] forbidden) =>
        Assert.All(Rooms.AssemblyReferences(project).Concat(Rooms.Packages(project)), used => Assert.DoesNotContain(forbidden, name => used.StartsWith(name, StringComparison.OrdinalIgnoreCase)));
}
