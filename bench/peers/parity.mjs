// Tokenizers and chat templates beside Hugging Face's own code for JavaScript: the same ids, texts and prompts, or what differs.
//
//   cd bench/peers && npm install --ignore-scripts --no-package-lock && cd ../..
//   node bench/peers/parity.mjs FOLDER...     # folders with tokenizer.json and tokenizer_config.json
//
// Asks `deliberate` on the path, or the program that DELIBERATE names. Exits with 1 when anything differs.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Template } from "@huggingface/jinja";
import { Tokenizer } from "@huggingface/tokenizers";

const program = process.env.DELIBERATE ?? "deliberate";
const RANGES = [[0x20, 0x7e], [0x61, 0x7a], [0x30, 0x39], [0xa0, 0xff], [0x100, 0x17f], [0x300, 0x36f], [0x370, 0x3ff], [0x400, 0x4ff], [0x5d0, 0x5ff], [0x600, 0x6ff], [0x900, 0x97f],
  [0xe00, 0xe7f], [0x1100, 0x11ff], [0x2000, 0x206f], [0x3040, 0x30ff], [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0xff00, 0xffef], [0x1f300, 0x1f6ff]];
const BETWEEN = ["", " ", "  ", "\n", "\n\n", "\r\n", "\t", " \n ", "'s", "'LL", "...", "123", "4567", "É", "</", "{}"];

// Texts of all scripts, the same at every run.
function texts(count) {
  let state = 12345;
  const below = (most) => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) % most;
  const drawn = ["", " ", "Hello there.", "def f(x):\n    return x", "Ça va? 日本語 🙂", "It's 3.14 or 1,000,000!"];
  while (drawn.length < count) {
    let text = "";
    for (let part = 1 + below(8); part > 0; part--) {
      const [from, to] = RANGES[below(RANGES.length)];
      for (let letter = 1 + below(6); letter > 0; letter--) text += String.fromCodePoint(from + below(to - from + 1));
      text += BETWEEN[below(BETWEEN.length)];
    }
    drawn.push(text);
  }
  return drawn;
}

function probe(command, path, lines, ...options) {
  const done = spawnSync(program, ["model", command, path, ...options], { input: lines.map((line) => JSON.stringify(line)).join("\n") + "\n", encoding: "utf8", maxBuffer: 1 << 30 });
  if (done.error) throw done.error;
  const replies = done.stdout.split("\n").filter((line) => line.length > 0).map((line) => JSON.parse(line));
  if (replies.length !== lines.length) throw new Error(`${command} ${path}: ${replies.length} lines for ${lines.length}: ${done.stderr}`);
  return replies;
}

let differing = 0;

function compare(name, what, expected, found, of) {
  const wrong = expected.map((_, at) => at).filter((at) => JSON.stringify(expected[at]) !== JSON.stringify(found[at]));
  differing += wrong.length;
  console.log(`${name.padEnd(20)} ${what.padEnd(28)} ${expected.length - wrong.length} of ${expected.length} equal`);
  for (const at of wrong.slice(0, 3)) console.log(`  ${JSON.stringify(of[at]).slice(0, 120)}: ${JSON.stringify(expected[at]).slice(0, 160)} there, ${JSON.stringify(found[at]).slice(0, 160)} here`);
}

function templates(name, config, folder) {
  const template = Array.isArray(config.chat_template) ? (config.chat_template.find((one) => one.name === "default") ?? config.chat_template[0]).template : config.chat_template;
  if (!template) return;
  const [system, user, assistant, next] = [["system", "Be kind."], ["user", "Hello, how are you?"], ["assistant", "Fine – and you?"], ["user", "Tell me\na story 'x' <b>"]].map(([role, content]) => ({ role, content }));
  const special = Object.fromEntries(["bos_token", "eos_token", "pad_token", "unk_token"].map((key) => [key, config[key]?.content ?? config[key]]).filter(([, token]) => token != null));
  const asked = [[user], [system, user], [user, assistant, next], [system, user, assistant, next]].flatMap((messages) => [true, false].map((add) => ({ messages, add_generation_prompt: add })));
  const expected = asked.map((one) => {
    try {
      return new Template(template).render({ ...one, ...special });
    } catch {
      return "refused";
    }
  });
  const file = join(folder, "template.jinja");
  writeFileSync(file, template);
  const found = probe("render", file, asked.map((one) => ({ ...one, kwargs: special }))).map((reply) => (reply.error ? "refused" : reply.rendered));
  compare(name, "prompts by the template", expected, found, asked);
}

const all = texts(1000);
const scratch = mkdtempSync(join(tmpdir(), "parity-"));
for (const path of process.argv.slice(2)) {
  const name = basename(path);
  const config = JSON.parse(readFileSync(join(path, "tokenizer_config.json"), "utf8"));
  const theirs = new Tokenizer(JSON.parse(readFileSync(join(path, "tokenizer.json"), "utf8")), config);
  const ids = all.map((text) => theirs.encode(text, { add_special_tokens: false }).ids);
  compare(name, "encoded", ids, probe("encode", path, all), all);
  compare(name, "encoded, special tokens", all.map((text) => theirs.encode(text).ids), probe("encode", path, all, "--special"), all);
  compare(name, "decoded", ids.map((list) => (list.length > 0 ? theirs.decode(list, { clean_up_tokenization_spaces: false }) : "")), probe("decode", path, ids), all);
  templates(name, config, scratch);
}
rmSync(scratch, { recursive: true });
process.exit(differing > 0 ? 1 : 0);
