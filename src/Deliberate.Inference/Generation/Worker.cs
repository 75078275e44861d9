namespace Deliberate.Inference.Generation;

/// <summary>One thread's part of a generator: its sequences in work, and the buffers to compute them.</summary>
internal sealed class Worker(PackedModel model, int slots)
{
    private readonly ForwardPass _pass = new(model);
    private readonly List<PassRow> _rows = [];
    private readonly List<(Sequence Sequence, int Row)> _wanted = [];
    private readonly Stack<KeyValues> _free = [];

    private sealed class Sequence
    {
        public required int Request;
        public required KeyValues Run;
        public required SharedPrompt Shared;
        public required int Next; // position of the token to compute
        public required int Token;
        public List<int> Tokens { get; } = [];
        public List<float> LogProbs { get; } = [];
    }

    /// <summary>Computes the keys and values of a shared prefix whose parent is done.</summary>
    public void Compute(SharedPrefix prefix)
    {
        var run = new KeyValues(model, prefix.Parent?.Run, prefix.Tokens.Length);
        Fill(run, prefix.Tokens, false);
        prefix.Run = run;
    }

    /// <summary>Takes groups from the job until none is left and all of its own sequences have ended.</summary>
    public void Work(GenerationJob job)
    {
        var active = new List<Sequence>();
        var waiting = new Queue<(int Request, SharedPrompt Prompt)>();
        var most = Math.Min(slots, job.FairShare);
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
            _rows.Clear();
            foreach (var sequence in active) _rows.Add(new(sequence.Run, sequence.Next, sequence.Token, true));
            _pass.Run(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_rows));
            for (var i = active.Count - 1; i >= 0; i--)
                if (Advance(job, active[i], _pass.Logits(i))) active.RemoveAt(i);
        }
    }

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
            _pass.Run(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_rows));
            for (var i = 0; i < count; i++) _pass.Logits(i).CopyTo(all.AsSpan((start + i) * model.Config.VocabSize));
        }

        return all;
    }

    // What equal prompts share on this worker: the keys and values of all but the prompt's last token, and the count of users.
    private sealed class SharedPrompt
    {
        public required KeyValues? Run;
        public required bool Own;
        public required int Users;
    }

    private SharedPrompt Open(GenerationJob job, PromptGroup group)
    {
        var prompt = job.Requests[group.Requests[0]].Prompt;
        var start = group.Prefix?.End ?? 0;
        var rest = prompt.AsSpan(start, prompt.Length - start - 1);
        if (group.Requests.Length == 1 || rest.Length == 0) return new() { Run = group.Prefix?.Run, Own = false, Users = group.Requests.Length };
        var run = Rent(group.Prefix?.Run, rest.Length);
        Fill(run, rest, false);
        return new() { Run = run, Own = true, Users = group.Requests.Length };
    }

    private Sequence? Start(GenerationJob job, int index, SharedPrompt shared)
    {
        var request = job.Requests[index];
        var start = shared.Run is { } parent ? parent.Start + parent.Count : 0;
        var rest = request.Prompt.AsSpan(start, request.Prompt.Length - start - 1);
        var room = Math.Min(request.MaxNewTokens, model.Config.MaxPositions - request.Prompt.Length + 1);
        var run = Rent(shared.Run, rest.Length + Math.Max(1, room));
        if (room <= 0)
        {
            job.Finish(index, new([], [], true));
            _free.Push(run);
            Leave(shared);
            return null;
        }

        Fill(run, rest, false);
        return new() { Request = index, Run = run, Shared = shared, Next = request.Prompt.Length - 1, Token = request.Prompt[^1] };
    }

    // Takes the logits after the last token; true when the sequence has ended.
    private bool Advance(GenerationJob job, Sequence sequence, Span<float> logits)
    {
        var request = job.Requests[sequence.Request];
        var (token, logProb) = Sampler.Choose(logits, request, sequence.Next + 1);
        sequence.LogProbs.Add(logProb);
        var stopped = request.StopTokens.Contains(token);
        if (!stopped)
        {
            sequence.Tokens.Add(token);
            job.OnToken?.Invoke(token);
            (sequence.Next, sequence.Token) = (sequence.Next + 1, token);
            if (sequence.Tokens.Count < request.MaxNewTokens && sequence.Next < model.Config.MaxPositions) return false;
        }

        job.Finish(sequence.Request, new([.. sequence.Tokens], [.. sequence.LogProbs], !stopped));
        _free.Push(sequence.Run);
        Leave(sequence.Shared);
        return true;
    }

    private void Leave(SharedPrompt shared)
    {
        if (--shared.Users == 0 && shared.Own) _free.Push(shared.Run!);
    }

    private void Fill(KeyValues run, ReadOnlySpan<int> tokens, bool logits)
    {
        for (var at = 0; at < tokens.Length; at += ForwardPass.MaxRows)
        {
            _rows.Clear();
            for (var i = at; i < Math.Min(tokens.Length, at + ForwardPass.MaxRows); i++) _rows.Add(new(run, run.Start + i, tokens[i], logits));
            _pass.Run(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_rows));
        }
    }

    private KeyValues Rent(KeyValues? parent, int capacity)
    {
        if (!_free.TryPop(out var run)) return new(model, parent, capacity);
        run.Reset(parent, capacity);
        return run;
    }
}
