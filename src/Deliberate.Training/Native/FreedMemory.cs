namespace Deliberate.Training.Native;

/// <summary>
/// Keeps a training from taking many times the memory of a step: batches of ever other sizes leave gaps that fit none of the next ones. When the process has come to
/// much more than it had after the first step, what is free goes back to the system.
/// </summary>
internal sealed class FreedMemory
{
    private const double Most = 1.6;
    private long _needed;

    /// <summary>Between steps hardly anything is in use.</summary>
    public void AfterStep()
    {
        var now = Environment.WorkingSet;
        if (_needed == 0) _needed = now;
        else if (now > Most * _needed)
        {
            TorchLibrary.Trim();
            _needed = 0; // the next step tells anew
        }
    }
}
