"""Posts bodies that no exporter sends: for each line {"path", "headers", "hex"?, "text"?, "spaces"?, "gzip"?} it prints
{"status", "headers", "hex"}.

    python otlp_post.py URL
"""

import gzip
import json
import sys

import httpx

client = httpx.Client(base_url=sys.argv[1], timeout=60, trust_env=False)
for line in sys.stdin:
    asked = json.loads(line)
    body = bytes.fromhex(asked.get("hex", "")) + asked.get("text", "").encode() + b" " * asked.get("spaces", 0)
    for _ in range(asked.get("gzip", 0)):
        body = gzip.compress(body)
    answer = client.post(asked["path"], content=body, headers=asked.get("headers", {}))
    print(json.dumps({"status": answer.status_code, "headers": dict(answer.headers), "hex": answer.content.hex()}), flush=True)
