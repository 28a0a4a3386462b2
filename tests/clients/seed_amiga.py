"""Python's socketio as AMIGA's document uses it: subscribe once connected, print each update. httpx reads the stream of events."""

import json
import sys

import httpx
import socketio

url = sys.argv[1]
if sys.argv[2:] == ["sse"]:
    with httpx.stream("GET", f"{url}/api/stream/metrics", timeout=30, trust_env=False) as stream:
        print(json.dumps({"type": stream.headers["content-type"]}), flush=True)
        event = {}
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if line == "":
                if "data" in event:
                    print(json.dumps({"id": event["id"], "update": json.loads(event["data"]), "fields": sorted(event)}), flush=True)
                event = {}
            elif name:
                event[name] = value
    sys.exit(0)

sio = socketio.Client()


@sio.event
def connect():
    sio.emit("subscribe", {"hours": 24, "update_interval": 1})


@sio.on("metrics_update")
def on_update(data):
    print(json.dumps(data), flush=True)


sio.connect(url)
sio.wait()
