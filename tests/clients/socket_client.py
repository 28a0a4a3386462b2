"""One connection with Python's websockets at its defaults: lines of JSON strings in are sent, what comes is printed as lines of JSON."""

import asyncio
import json
import sys

import websockets


def tell(event):
    print(json.dumps(event), flush=True)


async def read(socket):
    try:
        async for message in socket:
            tell({"message": message})
    except websockets.ConnectionClosed:
        pass
    tell({"closed": socket.close_code, "reason": socket.close_reason})


async def main(url):
    lines = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with websockets.connect(url, proxy=None) as socket:
        tell({"open": True})
        reading = asyncio.create_task(read(socket))
        while line := await lines.readline():
            await socket.send(json.loads(line))
        reading.cancel()


asyncio.run(main(sys.argv[1]))
