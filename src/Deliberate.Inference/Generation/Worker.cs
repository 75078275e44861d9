using System.Runtime.InteropServices;

namespace Deliberate.Inference.Generation;

/// <summary>
/// A part of a generator: its sequences in work, and the buffers to compute them. Where the model is small each thread has one of
/// its own; a large model has one, and all threads compute its passes together.
/// </summary>
internal sealed class Worker(PackedModel model, int slots, Team team, PrefixCache prefixes)
{
    private readonly ForwardPass _pass = new(model, team);
    private readonly List<PassRow> _rows = [];
    private readonly List<Sequence> _wanted = [];
    private readonly (int Token, float LogProb)[] _chosen = new (int, float)[ForwardPass.MaxRows];
    private readonly Stack<KeyValues> _free = [];
    private int _prompts; // the first row that is a token of a prompt

    /// <summary>Most sequences in work at once.</summary>
    public int Slots => slots;

    /// <summary>Positions of the model.</summary>
    public int Positions => model.Config.MaxPositions;

    /// <summary>Tokens of sequences that went through the model.</summary>
    public long Computed { get; private set; }

    /// <summary>Runs of open requests.</summary>
    public PrefixCache Prefixes => prefixes;

    /// <summary>Computes the keys and values of a shared prefix whose parent is done.</summary>
    public void Compute(SharedPrefix prefix)
    {
        var run = new KeyValues(model, prefix.Parent?.Run, prefix.Tokens.Length);
        Fill(run, prefix.Tokens);
        prefix.Run = run;
    }

    /// <summary>Takes groups from the job until none is left and all of its own sequences have ended.</summary>
    public void Work(GenerationJob job)
    {
        var active = new List<JobSequence>();
        var waiting = new Queue<(int Request, SharedPrompt Prompt)>();
        var most = Math.Min(slots, job.FairShare);
        Action<JobSequence, int, float> take = (sequence, token, logProb) =>
        {
            if (sequence.Add(token, logProb, job.OnToken, Positions) is { } end) Finish(job, active, sequence, end);
        };
        while (!job.Cancel.IsCancellationRequested)
        {
            while (active.Count < most)
            {
                if (waiting.Count == 0)
                {
                    if (job.Take() is not { } group) break;
                    var shared = Open(job, group);
                    foreach (var request in group.Requests) waiting.Enqueue((request, shared));
                }

                var (index, prompt) = waiting.Dequeue();
                if (Start(job, index, prompt) is { } sequence) active.Add(sequence);
            }

            if (active.Count == 0) return;
            Step(active, take);
            for (var i = active.Count - 1; i >= 0; i--)
                if (active[i].Request.Cancel.IsCancellationRequested) Finish(job, active, active[i], GenerationEnd.Cancelled);
        }
    }

    /// <summary>Computes one pass over these sequences; each that has a new token after it is handed over with that.</summary>
    public void Step<T>(List<T> active, Action<T, int, float> take) where T : Sequence
    {
        Collect(active);
        Computed += _rows.Count;
        _pass.Run(CollectionsMarshal.AsSpan(_rows), _prompts);
        Choose();
        for (var i = _wanted.Count - 1; i >= 0; i--) take((T)_wanted[i], _chosen[i].Token, _chosen[i].LogProb);
    }

    /// <summary>How many new tokens a request may have.</summary>
    public int RoomOf(GenerationRequest request) => Math.Min(request.MaxNewTokens, Positions - request.Prompt.Length + 1);

    /// <summary>An empty run.</summary>
    public KeyValues Rent(KeyValues? parent, int capacity, int? start = null)
    {
        if (!_free.TryPop(out var run)) return new(model, parent, capacity, start);
        run.Reset(parent, capacity, start);
        return run;
    }

    /// <summary>Takes back a run that nobody reads any more.</summary>
    public void Return(KeyValues run) => _free.Push(run);

    /// <summary>Logits after every token. (T * vocab)</summary>
    public float[] Logits(ReadOnlySpan<int> tokens)
    {
        var run = new KeyValues(model, null, tokens.Length);
        var all = new float[tokens.Length * model.Config.VocabSize];
        for (var start = 0; start < tokens.Length; start += ForwardPass.MaxRows)
        {
            var count = Math.Min(ForwardPass.MaxRows, tokens.Length - start);
            _rows.Clear();
            for (var i = 0; i < count; i++) _rows.Add(new(run, start + i, tokens[start + i], true));
            _pass.Run(CollectionsMarshal.AsSpan(_rows), _rows.Count);
            for (var i = 0; i < count; i++) _pass.Logits(i).CopyTo(all.AsSpan((start + i) * model.Config.VocabSize));
        }

        return all;
    }

    // One token of every sequence that has its prompt behind it; what room is left goes to prompts, in order.
    private void Collect<T>(List<T> active) where T : Sequence
    {
        _rows.Clear();
        _wanted.Clear();
        foreach (var sequence in active)
            if (sequence.Left == 1) Take(sequence, 1);
        _prompts = _rows.Count;
        // Where prompts are multiplied by other means, a prompt's last token is not: nor would it be when others share all before it.
        var kept = model.TakesPrompts ? 1 : 0;
        foreach (var sequence in active)
            if (sequence.Left > 1 && _rows.Count < ForwardPass.MaxRows) Take(sequence, Math.Min(sequence.Left - kept, ForwardPass.MaxRows - _rows.Count));

        void Take(Sequence sequence, int count)
        {
            for (; count > 0; count--, sequence.Next++)
            {
                var last = sequence.Left == 1;
                _rows.Add(new(sequence.Run, sequence.Next, sequence.Token, last));
                if (last) _wanted.Add(sequence);
            }
        }
    }

    private void Choose()
    {
        if (team.Size == 1 || _wanted.Count <= 1) for (var i = 0; i < _wanted.Count; i++) Choose(i);
        else
        {
            var count = _wanted.Count; // a thread that comes late must not see the next pass's
            team.Run(me =>
            {
                for (int i; (i = team.Take(me, count)) < count;) Choose(i);
                team.Sync(me);
            });
        }

        void Choose(int i) => _chosen[i] = _wanted[i].Choose(_pass.Logits(i));
    }

    private SharedPrompt Open(GenerationJob job, PromptGroup group)
    {
        var prompt = job.Requests[group.Requests[0]].Prompt;
        var start = group.Prefix?.End ?? 0;
        var rest = prompt.AsSpan(start, prompt.Length - start - 1);
        if (group.Requests.Length == 1 || rest.Length == 0) return new() { Run = group.Prefix?.Run, Own = false, Users = group.Requests.Length };
        var run = Rent(group.Prefix?.Run, rest.Length);
        Fill(run, rest);
        return new() { Run = run, Own = true, Users = group.Requests.Length };
    }

    private JobSequence? Start(GenerationJob job, int index, SharedPrompt shared)
    {
        var request = job.Requests[index];
        var start = shared.Run?.End ?? 0;
        var room = RoomOf(request);
        if (room <= 0 || request.Cancel.IsCancellationRequested)
        {
            job.Finish(index, new([], [], true) { End = room <= 0 ? GenerationEnd.Length : GenerationEnd.Cancelled });
            Leave(shared);
            return null;
        }

        return new(index, request, Rent(shared.Run, request.Prompt.Length - start - 1 + room), shared) { Next = start };
    }

    private void Finish(GenerationJob job, List<JobSequence> active, JobSequence sequence, GenerationEnd end)
    {
        active.Remove(sequence);
        job.Finish(sequence.Index, sequence.Result(end));
        _free.Push(sequence.Run);
        Leave(sequence.Shared);
    }

    private void Leave(SharedPrompt shared)
    {
        if (--shared.Users == 0 && shared.Own) _free.Push(shared.Run!);
    }

    private void Fill(KeyValues run, ReadOnlySpan<int> tokens)
    {
        for (var at = 0; at < tokens.Length; at += ForwardPass.MaxRows)
        {
            _rows.Clear();
            for (var i = at; i < Math.Min(tokens.Length, at + ForwardPass.MaxRows); i++) _rows.Add(new(run, run.Start + i, tokens[i], false));
            _pass.Run(CollectionsMarshal.AsSpan(_rows), 0);
        }
    }
}
