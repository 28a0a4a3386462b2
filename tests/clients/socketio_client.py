"""One connection with python-socketio: URL, transports with commas, namespace, token. Lines `[name, ...arguments]` in are emitted
(`["?transport"]` asks for the transport); what comes is printed as lines of JSON."""

import json
import sys
import threading

import socketio

url, transports, namespace, token = (sys.argv[1:] + ["", ""])[:4]
namespace = namespace or "/"
lock = threading.Lock()
client = socketio.Client(reconnection=False)


def tell(event):
    with lock:
        print(json.dumps(event), flush=True)


def plain(value):
    return {"bytes": json.loads(value)} if isinstance(value, bytes) else value


@client.on("*", namespace=namespace)
def anything(name, *values):
    tell({"event": name, "args": [plain(value) for value in values]})


@client.event(namespace=namespace)
def disconnect(reason=None):
    tell({"disconnected": str(reason)})


@client.event(namespace=namespace)
def connect_error(why):
    tell({"refused": why})


try:
    client.connect(
        url,
        transports=transports.split(","),
        namespaces=[namespace],
        auth={"token": token} if token else None,
        wait_timeout=30,
    )
    tell({"open": True})
except socketio.exceptions.ConnectionError as error:
    tell({"closed": str(error)})
    sys.exit(0)
for line in sys.stdin:
    name, *values = json.loads(line)
    if name == "?transport":
        tell({"transport": client.transport()})
    elif name == "?ack":
        tell({"ack": client.call(values[0], tuple(values[1:]), namespace=namespace, timeout=30)})
    else:
        client.emit(name, tuple(values), namespace=namespace)
client.disconnect()
