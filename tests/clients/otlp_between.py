"""Stands between an exporter and the hub, and loses the first answer to each address: the hub has the batch, the exporter is told 503.

    python otlp_between.py URL

Prints {"port": N}, then a line for each request: {"path", "told", "was", "type", "encoding"}. Runs until its standard input ends.
"""

import json
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

hub = sys.argv[1]
lost = set()
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        whole = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def do_POST(self):
        kept = {name: self.headers[name] for name in ("content-type", "content-encoding") if self.headers[name]}
        request = urllib.request.Request(hub + self.path, data=self.body(), headers=kept, method="POST")
        try:
            answer = direct.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        was, kind, body = answer.status, answer.headers.get("content-type"), answer.read()
        told = was
        if self.path not in lost:
            lost.add(self.path)
            told, kind, body = 503, "text/plain", b"lost"
        self.send_response(told)
        if told == 503:
            self.send_header("retry-after", "1")
        self.send_header("content-type", kind or "application/octet-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        line = {"path": self.path, "told": told, "was": was, "type": kept.get("content-type"), "encoding": kept.get("content-encoding")}
        print(json.dumps(line), flush=True)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"port": server.server_port}), flush=True)
sys.stdin.read()
