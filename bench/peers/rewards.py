# A reward server as trainers' examples write one (FastAPI, one process, a constant answer), as a peer of `bench -- reward-peer`.
#   apt install python3-fastapi uvicorn python3-uvloop python3-httptools wrk      (once; or the same from pip)
#   python3 rewards.py PORT
import sys

import fastapi
import uvicorn
from fastapi.responses import JSONResponse

app = fastapi.FastAPI()


@app.post("/reward")
async def reward(request: fastapi.Request):
    # The body read as it is, without a schema: the quickest way to write it.
    count = len((await request.json())["query"])
    return JSONResponse({"rewards": [1.0] * count, "scores": [1.0] * count, "extra_logs": {"judge_runs_scored": [1.0] * count}})


@app.get("/version")
async def version():
    return f"FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}, Python {sys.version.split()[0]}"


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="warning")
