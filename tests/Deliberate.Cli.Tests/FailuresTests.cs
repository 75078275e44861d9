using Deliberate.Pipeline;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Cli.Tests;

public class FailuresTests
{
    public static TheoryData<Exception, int, string> Expected => new()
    {
        { new AlignmentException("no sample was kept."), ExitCodes.BadInput, "error: no sample was kept." },
        { new PolicyException("a.md", 3, "code T1 is used twice"), ExitCodes.BadInput, "error: a.md:3: code T1 is used twice" },
        { new InvalidDataException("model.safetensors: cut off"), ExitCodes.BadInput, "error: model.safetensors: cut off" },
        { new FileNotFoundException("no config.json"), ExitCodes.BadInput, "error: no config.json" },
        { new ArgumentException("too many tokens.", "prompt"), ExitCodes.BadInput, "error: too many tokens." },
        { new IOException("runs/a is in use"), ExitCodes.Failure, "error: runs/a is in use" },
        { new UnauthorizedAccessException("access to runs is denied"), ExitCodes.Failure, "error: access to runs is denied" },
        { new AggregateException(new InvalidDataException("two\n  lines")), ExitCodes.BadInput, "error: two lines" },
        { new TypeInitializationException("X", new DllNotFoundException("no libtorch")), ExitCodes.Failure, "error: no libtorch" },
    };

    [Theory]
    [MemberData(nameof(Expected), DisableDiscoveryEnumeration = true)]
    public void A_failure_that_users_can_mend_is_its_message_in_one_line(Exception exception, int code, string line)
    {
        var streams = new Streams();
        Assert.Equal(code, Failures.Tell(streams.Terminal(), exception));
        Assert.Equal(line, Assert.Single(streams.NoteLines));
        Assert.Empty(streams.Results);
    }

    [Fact]
    public void A_failure_that_nobody_expected_says_how_to_see_where_it_comes_from()
    {
        var streams = new Streams();
        Assert.Equal(ExitCodes.Failure, Failures.Tell(streams.Terminal(), new NotSupportedException("what?")));
        Assert.Equal("error: unexpected NotSupportedException: what? (set DELIBERATE_DEBUG=1 to see where it comes from)", Assert.Single(streams.NoteLines));
    }
}
