// llama.cpp as a peer of `bench -- llama`: reads requests of one line, answers with one.
//   npm install --ignore-scripts --no-package-lock      (once, in this folder: it comes with a built binary)
//   node llama.mjs MODEL.gguf THREADS
//   {"prompts": [[token…]…], "tokens": N}  →  {"prefill": seconds, "steps": [seconds a token while all sequences decode…]}
import { createInterface } from "node:readline";
import { getLlama } from "node-llama-cpp";

const [path, threads] = [process.argv[2], Number(process.argv[3])];
const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel: "error" });
const model = await llama.loadModel({ modelPath: path });
const seconds = () => performance.now() / 1000;
let context = null;

// A context for this many sequences; its batch takes all prompts at once.
async function contextOf(sequences, length) {
    if (context?.totalSequences === sequences) return context;
    await context?.dispose();
    context = await model.createContext({ sequences, contextSize: length, batchSize: sequences * length, threads, flashAttention: false });
    return context;
}

async function measure({ prompts, tokens }) {
    const length = Math.ceil((prompts[0].length + tokens + 8) / 64) * 64;
    const own = await contextOf(prompts.length, length);
    const sequences = prompts.map(() => own.getSequence());
    const begin = seconds();
    await Promise.all(sequences.map((sequence, i) => sequence.evaluateWithoutGeneratingNewTokens(prompts[i].slice(0, -1))));
    const prefill = seconds() - begin;
    const stamps = await Promise.all(sequences.map(async (sequence, i) => {
        const times = [];
        for await (const _ of sequence.evaluate(prompts[i].slice(-1), { temperature: 0, yieldEogToken: true })) {
            times.push(seconds());
            if (times.length === tokens) break;
        }
        return times;
    }));
    sequences.forEach(sequence => sequence.dispose());
    const times = stamps[0];
    return { prefill, steps: times.slice(1).map((time, i) => time - times[i]) };
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await measure(JSON.parse(line))));
process.exit(0);
