"""An agent without a socket, with Python's httpx: publishes, asks, waits for the answer, and prints what it got as lines of JSON."""

import json
import sys

import httpx


def tell(what):
    print(json.dumps(what), flush=True)


base, request_id = sys.argv[1:]
with httpx.Client(base_url=base, timeout=60, trust_env=False) as hub:
    event = {"type": "tool_call_start", "agent": "py", "session": "s1", "data": {"tool_name": "bash", "arguments": {}}}
    reply = hub.post("/api/events", json=event)
    tell({"status": reply.status_code, "body": reply.json()})
    lines = "".join(json.dumps({**event, "type": kind}) + "\n" for kind in ("tool_call_result", "tool_call_end"))
    reply = hub.post("/api/events", content=lines, headers={"content-type": "application/x-ndjson"})
    tell({"status": reply.status_code, "body": reply.json()})
    question = {"request_id": request_id, "tool_name": "bash", "arguments": {"command": "ls"}, "agent": "py", "session": "s1"}
    reply = hub.post("/api/approvals", json=question)
    tell({"status": reply.status_code, "body": reply.json()})
    reply = hub.get(f"/api/approvals/{reply.json()['id']}", params={"wait": 50})
    tell({"status": reply.status_code, "body": reply.json()})
    reply = hub.post(f"/api/approvals/{request_id}/decision", json={"decision": "approve"})
    tell({"status": reply.status_code, "body": reply.json()})
