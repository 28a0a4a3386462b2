"""A WebSocket server on Python's websockets that says what it is told to: port, then certificate and key where it is to speak TLS. Lines of
JSON in are sent to whoever is connected (strings as they are), `{"close": true}` ends the connections; who comes and what they say is printed
as lines of JSON."""

import asyncio
import json
import ssl
import sys

import websockets

peers = set()


def tell(event):
    print(json.dumps(event), flush=True)


async def serve(socket):
    peers.add(socket)
    tell({"open": socket.request.path, "authorization": socket.request.headers.get("authorization")})
    try:
        async for message in socket:
            tell({"message": message})
    except websockets.ConnectionClosed:
        pass
    peers.discard(socket)
    tell({"closed": True})


async def main(port, *certificate):
    lines = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
    async with websockets.serve(serve, "127.0.0.1", port, ssl=context) as server:
        tell({"port": server.sockets[0].getsockname()[1]})
        while line := await lines.readline():
            said = json.loads(line)
            if isinstance(said, dict) and said.get("close"):
                for peer in list(peers):
                    await peer.close()
                continue
            text = said if isinstance(said, str) else json.dumps(said)
            for peer in list(peers):
                await peer.send(text)


asyncio.run(main(int(sys.argv[1]), *sys.argv[2:4]))
