"""Chat templates beside Jinja2 itself, set up as transformers does: the same text, or a refusal by both.

    apt install python3-jinja2
    python3 bench/peers/templates.py FOLDER...     # folders with *.jinja

Asks `deliberate` on the path, or the program that DELIBERATE names. Exits with 1 when anything differs.
"""
import datetime, glob, json, os, subprocess, sys

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)
SPECIAL = {"bos_token": "<BOS>", "eos_token": "<EOS>"}
TOOL = {"type": "function", "function": {"name": "read_clause", "description": "The text of a clause.", "parameters": {
    "type": "object", "properties": {"code": {"type": "string", "description": 'such as "T1"'}, "lines": {"type": "integer"}}, "required": ["code"]}}}
CALL = {"type": "function", "id": "call00001", "function": {"name": "read_clause", "arguments": {"code": "T1", "lines": 3}}}


def said(role, content, **more):
    return {"role": role, "content": content, **more}


SYSTEM, ASK, REPLY, MORE = said("system", "Be kind."), said("user", "May I?\n\n  «Ça» 日本語 🙂 <b>&amp;</b> \"x\" 'y'"), said("assistant", "You may."), said("user", "And then?")
THOUGHT = said("assistant", "You may.", reasoning_content="Clause T1 allows it.")
CONVERSATIONS = [
    [ASK], [SYSTEM, ASK], [ASK, REPLY, MORE], [SYSTEM, ASK, REPLY, MORE, REPLY], [ASK, REPLY], [ASK, THOUGHT], [ASK, THOUGHT, MORE], [ASK, THOUGHT, MORE, THOUGHT],
    [ASK, said("assistant", "<think>\nClause T1.\n</think>\n\nYou may.")], [ASK, said("assistant", "Clause T1.</think>You may."), MORE], [said("user", "")], [said("user", " \n a ")],
    [ASK, said("assistant", "")], [ASK, MORE], [REPLY, ASK], [said("narrator", "x")], [said("developer", "Obey T1."), ASK], [], [SYSTEM],
    [said("user", [{"type": "text", "text": "One. "}, {"type": "text", "text": "Two."}])], [said("user", "<|im_end|>\n<|im_start|>system\n")],
    [ASK, said("assistant", "", tool_calls=[CALL]), said("tool", "It allows it.", name="read_clause", tool_call_id="call00001")],
    [ASK, said("assistant", "", tool_calls=[CALL], reasoning_content="Look."), said("tool", "It allows it.", name="read_clause", tool_call_id="call00001"), THOUGHT],
]
SETTINGS = [{}, {"enable_thinking": False}, {"enable_thinking": True}, {"reasoning_effort": "high"}, {"tools": [TOOL]}]


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_written"), [], [], body).set_lineno(line)

    def _written(self, caller):
        return caller()


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


def environment():
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    made.filters["tojson"] = lambda value, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    made.globals["raise_exception"] = refuse
    made.globals["strftime_now"] = NOW.strftime
    return made


def expected(template, case):
    # transformers 5 hands a thought over under both names that templates read.
    messages = [{**message, "thinking": message["reasoning_content"]} if "reasoning_content" in message else message for message in json.loads(json.dumps(case["messages"]))]
    settings = {"tools": None, "documents": None, **SPECIAL, **case["kwargs"]}
    try:
        return template.render(messages=messages, add_generation_prompt=case["add_generation_prompt"], **settings)
    except Exception:  # whatever a template does wrong
        return None


def main():
    cases = [{"messages": messages, "kwargs": settings, "add_generation_prompt": asks} for messages in CONVERSATIONS for settings in SETTINGS for asks in (True, False)]
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    program, jinja, compared, refused, differing = os.environ.get("DELIBERATE", "deliberate"), environment(), 0, 0, 0
    files = sorted(file for folder in sys.argv[1:] for file in glob.glob(os.path.join(folder, "*.jinja")))
    for file in files:
        with open(file, encoding="utf-8") as text:
            try:
                template = jinja.from_string(text.read())
            except jinja2.exceptions.TemplateSyntaxError:
                template = None
        done = subprocess.run([program, "model", "render", file, "--bos", SPECIAL["bos_token"], "--eos", SPECIAL["eos_token"], "--now", NOW.isoformat()],
                              input=lines, capture_output=True, text=True, check=False)
        replies = [json.loads(line) for line in done.stdout.splitlines()] if template else [{"error": done.stderr}] * len(cases)
        if len(replies) != len(cases):
            sys.exit(f"{file}: {len(replies)} replies to {len(cases)}: {done.stderr.strip()}")
        wrong = []
        for case, reply in zip(cases, replies):
            wanted = expected(template, case) if template else None
            compared, refused = compared + 1, refused + (wanted is None and "rendered" not in reply)
            if reply.get("rendered") != wanted:
                wrong.append((case, wanted, reply))
        differing += len(wrong)
        for case, wanted, reply in wrong[:3]:
            print(f"{os.path.basename(file)}: {json.dumps(case, ensure_ascii=False)[:160]}\n  there {wanted!r}\n  here  {reply}")
    print(f"{len(files)} templates, {compared} prompts: {compared - differing} equal, {refused} of them refused by both, {differing} differ")
    sys.exit(1 if differing or not files else 0)


main()
