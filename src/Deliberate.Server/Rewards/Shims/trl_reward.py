"""TRL: GRPOTrainer(reward_funcs=[policy_reward]) or [policy_reward_async]; both can be pickled."""
import asyncio, json, os, time, urllib.request

URL = os.environ.get("DELIBERATE_URL", "http://127.0.0.1:5000") + "/score"
KEY, TRIES = os.environ.get("DELIBERATE_KEY", ""), int(os.environ.get("DELIBERATE_TRIES", "5"))


def _post(items):
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + KEY}
    request = urllib.request.Request(URL, json.dumps(items, default=str).encode(), headers)
    for wait in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=180) as reply:
                return json.load(reply)
        except OSError as error:
            if getattr(error, "code", 503) in (400, 401, 403, 413, 415, 422):
                raise RuntimeError(f"{URL}: {error} {error.read().decode()}")  # trying again would not help
            if wait < TRIES - 1:
                time.sleep(2 ** wait)
    return [{"score": None}] * len(items)


def _text(completion):
    return completion if isinstance(completion, str) else completion[-1].get("content") or ""


def policy_reward(prompts, completions, **columns):
    """The rewards in order; None where there is no score, which TRL leaves out of the sum."""
    categories = columns.get("category") or [None] * len(prompts)
    rows = [{"data_source": "trl", "solution_str": _text(completion), "extra_info": {"prompt": prompt, "category": category}}
            for prompt, completion, category in zip(prompts, completions, categories)]
    return [row["score"] for start in range(0, len(rows), 256) for row in _post(rows[start:start + 256])]


async def policy_reward_async(prompts, completions, **columns):
    """The same without holding up other reward functions."""
    return await asyncio.to_thread(policy_reward, prompts, completions, **columns)
