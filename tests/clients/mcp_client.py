"""The official MCP client, as its documentation has it: calls tools that its standard input names, several at once.

mcp_client.py MODE http URL [TOKEN]     over streamable HTTP
mcp_client.py MODE stdio COMMAND ...    a server of its own on pipes

In:  {"call": TOOL, "id": N, "arguments": {}, "progress": bool}, {"cancel": N}, {"list": true}
Out: {"id": N, "result": {...}}, {"id": N, "progress": SECONDS}, {"id": N, "failed": TEXT}, {"tools": [...]}
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


def say(**event):
    print(json.dumps(event), flush=True)


def server(kind, *rest):
    if kind == "stdio":
        return StdioServerParameters(command=rest[0], args=list(rest[1:]), env=dict(os.environ))
    headers = {"Authorization": f"Bearer {rest[1]}"} if len(rest) > 1 else {}
    return streamable_http_client(rest[0], http_client=create_mcp_http_client(headers=headers))


async def call(client, order):
    number = order["id"]

    async def progress(seconds, total, message):
        say(id=number, progress=seconds, message=message)

    try:
        result = await client.call_tool(
            order["call"], order.get("arguments"), progress_callback=progress if order.get("progress") else None
        )
        say(id=number, result=result.model_dump(mode="json", by_alias=True, exclude_none=True))
    except asyncio.CancelledError:
        say(id=number, failed="cancelled")
        raise
    except Exception as error:
        say(id=number, failed=str(error))


async def main():
    mode, *where = sys.argv[1:]
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    calls = {}
    async with Client(server(*where), mode=mode) as client:
        say(server=client.server_info.name if client.server_info else None, version=client.protocol_version)
        while line := await lines.readline():
            order = json.loads(line)
            if "call" in order:
                calls[order["id"]] = asyncio.create_task(call(client, order))
            elif "cancel" in order:
                calls[order["cancel"]].cancel()
            elif "list" in order:
                tools = await client.list_tools()
                say(tools=[tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools.tools])
        for task in calls.values():
            task.cancel()


asyncio.run(main())
