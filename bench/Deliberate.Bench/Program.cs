using System.Globalization;
using BenchmarkDotNet.Running;
using Deliberate.Bench;
using Deliberate.Inference.Generation;

// generation [rounds] [FOLDER] [--engine] [--no-limits]: the engine against TorchSharp (--engine: alone), on the miniature or on a model of a folder. Anything else goes to BenchmarkDotNet (--filter '*Matrix*').
if (args is ["generation", ..])
{
    GenerationComparison.Run(Number(1, 7), engineOnly: args.Contains("--engine"), limits: !args.Contains("--no-limits"), args.Skip(1).FirstOrDefault(Directory.Exists));
    return 0;
}

// model PATH [rounds] [fp32,bf16,int8] [threads]: tokens per second of a model folder or GGUF file, against the machine's limits.
if (args is ["model", var path, ..])
{
    var storages = args.Length > 3 ? args[3].Split(',').Select(name => Enum.Parse<WeightStorage>(name, ignoreCase: true)).ToArray() : [WeightStorage.Auto, WeightStorage.Int8];
    ModelBenchmark.Run(path, Number(2, 5), storages, Number(4, Environment.ProcessorCount));
    return 0;
}

// llama FOLDER GGUF [rounds] [threads] [script]: the engine beside llama.cpp on the same weights in bf16. See bench/peers/llama.mjs.
if (args is ["llama", var folder, var gguf, ..])
{
    LlamaComparison.Run(folder, gguf, args.Length > 5 ? args[5] : Path.Combine("bench", "peers", "llama.mjs"), Number(3, 5), Number(4, Environment.ProcessorCount));
    return 0;
}

// streams [count] [rounds] [slots]: chat streams of the shipped model at once against the same ones one after the other.
if (args is ["streams", ..])
{
    await StreamsBenchmark.RunAsync(Number(1, 200), Number(2, 5), Number(3, 0));
    return 0;
}

// store [prompts] [concurrency,concurrency...]: durable completions per second through the run store.
if (args is ["store", ..])
{
    await StoreBenchmark.RunAsync(Number(1, 20_000), args.Length > 2 ? [.. args[2].Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture))] : [64, 256]);
    return 0;
}

// endpoint [prompts] [concurrency]: durable completions per second of stage generate over HTTP.
if (args is ["endpoint", ..])
{
    await EndpointBenchmark.RunAsync(Number(1, 20_000), Number(2, 64));
    return 0;
}

if (args is ["instant-server"])
{
    await EndpointBenchmark.ServeAsync();
    return 0;
}

// specification MODEL [rounds] [tokens] [calls]: calls that begin with the same specification, sharing it and not.
if (args is ["specification", var specified, ..])
{
    await SpecificationBenchmark.RunAsync(specified, Number(2, 3), Number(3, 1_000), Number(4, 32));
    return 0;
}

// rewards [seconds] [rate]: the reward server over HTTP beside an empty handler, latency under an open loop and the most requests of a closed one.
if (args is ["rewards", ..])
{
    await RewardBenchmark.RunAsync(Number(1, 60), Number(2, 500));
    return 0;
}

// reward-peer [rounds] [seconds]: the most requests of the reward server, of an empty handler and of a FastAPI server, by wrk (which must be installed, as must Python's fastapi, uvicorn, uvloop and httptools).
if (args is ["reward-peer", ..])
{
    await RewardPeer.RunAsync(Path.Combine("bench", "peers"), Number(1, 5), Number(2, 5));
    return 0;
}

if (args is ["reward-server"])
{
    await RewardBenchmark.ServeAsync();
    return 0;
}

// training MODEL [full|lora|all] [rounds] [length]: tokens per second of fine-tuning against plain TorchSharp. training MODEL memory-full|memory-lora [length]: peak memory.
if (args is ["training", var model, ..])
{
    var what = args.Length > 2 ? args[2] : "all";
    if (what.StartsWith("memory-", StringComparison.Ordinal)) TrainingComparison.Memory(model, Number(3, 1_024), what["memory-".Length..]);
    else TrainingComparison.Run(model, Number(3, 5), Number(4, 512), what);
    return 0;
}

// grpo [FOLDER] [rounds]: seconds of a step of reinforcement learning, on a small model of random weights or on a model of a folder.
if (args is ["grpo", ..])
{
    var number = args.Skip(1).FirstOrDefault(arg => int.TryParse(arg, NumberStyles.Integer, CultureInfo.InvariantCulture, out _));
    GrpoBenchmark.Run(args.Skip(1).FirstOrDefault(arg => arg != number), number is null ? 5 : int.Parse(number, CultureInfo.InvariantCulture));
    return 0;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;

// The word at this place where it is a number above 0.
int Number(int at, int otherwise) => args.Length > at && int.TryParse(args[at], NumberStyles.Integer, CultureInfo.InvariantCulture, out var given) && given > 0 ? given : otherwise;
