"""A webhook's target: prints its port, then each request as a line of JSON."""

import http.server
import json
import sys
import threading


class Target(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        self.send_response(204)
        self.end_headers()
        print(json.dumps({'stream': self.headers['X-Stream-ID'], 'body': json.loads(body)}), flush=True)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Target)
print(json.dumps({'port': server.server_address[1]}), flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever(poll_interval=0.1)
