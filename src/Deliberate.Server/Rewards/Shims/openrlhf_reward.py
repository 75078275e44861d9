"""OpenRLHF: --reward.remote_url openrlhf_reward.py where the server demands a key, which OpenRLHF's own client cannot send."""
import json, os, time, urllib.request

URL = os.environ.get("DELIBERATE_URL", "http://127.0.0.1:5000") + "/reward"
KEY, TRIES = os.environ.get("DELIBERATE_KEY", ""), int(os.environ.get("DELIBERATE_TRIES", "5"))


def reward_func(queries, prompts, labels):
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + KEY}
    body = json.dumps({"query": queries, "prompts": prompts, "labels": labels}, default=str).encode()
    for wait in range(TRIES):
        try:
            with urllib.request.urlopen(urllib.request.Request(URL, body, headers), timeout=180) as reply:
                return json.load(reply)
        except OSError as error:  # also status 503: no score
            if wait == TRIES - 1 or getattr(error, "code", 503) in (400, 401, 403, 413, 415, 422):
                raise RuntimeError(f"no reward from {URL}: {error}")  # OpenRLHF then leaves the reward None
            time.sleep(2 ** wait)
