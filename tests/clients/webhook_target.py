"""A target of webhooks on http.server: port, then certificate and key where it is to speak TLS. Lines of JSON in say how it answers from now
on: {"status", "headers"?, "delay"?, "only"?: answers so only to events of this type, and 200 to others}. Each request is printed as a line of
JSON, its signature checked with hmac; so is why a TLS handshake failed."""

import hashlib
import hmac
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = b"a shared secret"
behaviour = {"status": 200}
printing = threading.Lock()


def tell(event):
    with printing:
        print(json.dumps(event), flush=True)


def signed(headers, body):
    parts = dict(part.split("=", 1) for part in headers.get("X-Countersign-Signature", "t=,v1=").split(","))
    expected = hmac.new(SECRET, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    fresh = parts["t"].isdigit() and abs(time.time() - int(parts["t"])) < 300
    return fresh and hmac.compare_digest(expected, parts["v1"])


class Target(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = json.loads(body)
        now = dict(behaviour)
        if "only" in now and event["type"] != now["only"]:
            now = {"status": 200}
        time.sleep(now.get("delay", 0))
        tell({
            "event": event,
            "stream": self.headers.get("X-Stream-ID"),
            "id": self.headers.get("X-Countersign-Event-ID"),
            "type": self.headers.get("Content-Type"),
            "signed": signed(self.headers, body),
            "path": self.path,
            "status": now["status"],
        })
        self.send_response(now["status"])
        for name, value in now.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def get_request(self):
        try:
            return super().get_request()
        except ssl.SSLError as error:
            tell({"handshake": error.reason})
            raise


server = Server(("127.0.0.1", int(sys.argv[1])), Target)
if len(sys.argv) > 2:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*sys.argv[2:4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
tell({"port": server.server_address[1]})
for line in sys.stdin:
    behaviour = json.loads(line)
    tell({"behaves": behaviour})
