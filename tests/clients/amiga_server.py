"""An AMIGA-like server on python-socketio: confirms as the seed's handlers do, and sends each line of JSON in as a metrics_update;
what clients do is printed as lines of JSON."""

import asyncio
import json
import sys

import socketio
from aiohttp import web

server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins=[])


def tell(event):
    print(json.dumps(event), flush=True)


@server.on("connect")
async def connect(sid, environ, auth):
    tell({"open": environ.get("PATH_INFO"), "auth": auth})
    await server.emit("connected", {"status": "connected", "client_id": sid}, to=sid)


@server.on("subscribe")
async def subscribe(sid, data):
    tell({"subscribe": data})
    await server.emit("subscribed", {"status": "subscribed", "config": data}, to=sid)


@server.on("disconnect")
async def disconnect(sid, *_):
    tell({"closed": True})


async def main(port):
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    tell({"port": site._server.sockets[0].getsockname()[1]})
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await server.emit("metrics_update", json.loads(line))


asyncio.run(main(int(sys.argv[1])))
