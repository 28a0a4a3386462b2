"""The broadcast server to compare with, as the documentation of `websockets` tells to write it: what one client sends, the others
get. Prints the ready line that `countersign serve` prints, on a port of the system's choice. It stores nothing."""

import asyncio

from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosedError

monitors = set()


async def handler(connection):
    if connection.request.path == "/publish":
        try:
            async for message in connection:
                broadcast(monitors, message)
        except ConnectionClosedError:
            pass  # The benchmark's publisher just goes.
        return
    monitors.add(connection)
    try:
        await connection.wait_closed()
    finally:
        monitors.discard(connection)


async def main():
    async with serve(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on http://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main())
