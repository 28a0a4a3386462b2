"""A model server on loopback that plays a script: Anthropic Messages and OpenAI Responses, for agents that must not reach a vendor.

    python models.py [SCRIPT.json]        without a file, the first line of standard input is the script; {} plays no turns

The first line it prints is {"port": N}. It runs until its standard input ends. A script is an object whose values are lists of
turns. "main" is for every conversation that no other name claims; another name claims the conversations whose first user message
contains it (a subagent's prompt, say). A turn is

    {"text": "...", "calls": [{"name": "Bash", "input": {...}, "id"?: "..."}], "hold"?: "NAME", "status"?: 529, "usage"?: {...}}

with any of its parts. A call with "input" that is a string is a free-form one (Codex's apply_patch). A turn with "hold" is not
answered before POST /release/NAME; one with "status" is answered with that error. When a conversation has no more turns it gets
the text "done". The very same request again, as a client sends it that lost its answer, gets its turn again.

    GET  /requests      everything that was asked: [{"n", "path", "headers", "body", "conversation", "turn", "side"}]
    POST /script        a new script, from the beginning
    POST /release/NAME  lets a held turn go

Calls on the side (titles, summaries, quota) come without tools; they get a short text and use up no turn.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.dont_write_bytecode = True  # a test leaves nothing in the tree

from model_server import anthropic_messages, openai_responses
from model_server.script import Script

SPEAKS = {
    "/v1/messages": anthropic_messages,
    "/v1/responses": openai_responses,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The headers and the first event would otherwise wait for an acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.reply(200, None)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/requests":
            self.reply(200, self.server.script.recorded())
            return
        self.server.script.record(path, dict(self.headers), None)
        if path == "/v1/models":
            self.reply(200, {"object": "list", "data": [], "models": [], "has_more": False})
        else:
            self.reply(404, {"type": "error", "error": {"type": "not_found_error", "message": f"no {path} here"}})

    def do_POST(self):
        path = self.path.split("?")[0]
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        script = self.server.script
        if path == "/script":
            script.replace(json.loads(raw))
            self.reply(200, {})
        elif path.startswith("/release/"):
            script.release(path.removeprefix("/release/"))
            self.reply(200, {})
        elif path == "/v1/messages/count_tokens":
            script.record(path, dict(self.headers), json.loads(raw))
            self.reply(200, {"input_tokens": max(1, len(raw) // 4)})
        elif path in SPEAKS:
            self.play(SPEAKS[path], path, raw)
        else:
            script.record(path, dict(self.headers), None)
            self.reply(404, {"type": "error", "error": {"type": "not_found_error", "message": f"no {path} here"}})

    def play(self, speaks, path, raw):
        body = json.loads(raw)
        conversation = None if speaks.is_side_call(body) else speaks.first_words(body)
        turn = self.server.script.next_turn(path, dict(self.headers), body, raw, conversation)
        if "status" in turn:
            self.reply(turn["status"], speaks.error(turn["status"]))
        elif body.get("stream"):
            self.stream(speaks.events(body, turn))
        else:
            self.reply(200, speaks.whole(body, turn))

    def stream(self, events):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events:
            frame = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        self.wfile.write(b"0\r\n\r\n")

    def reply(self, status, value):
        text = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script

    def handle_error(self, request, client_address):
        # An agent that was stopped leaves in the middle of an answer; anything else is a fault of this script.
        if not isinstance(sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            turns = json.load(file)
    else:
        turns = json.loads(sys.stdin.readline() or "{}")
    server = Server(Script(turns))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    sys.stdin.read()


main()
