"""Hive's bridge to webhooks: posts each event of one stream to an address."""

import asyncio
import json
import sys

import httpx
import websockets


async def bridge_to_webhook(webhook_url: str, stream_id: str):
    async with websockets.connect('ws://localhost:8765') as ws:
        await ws.send(json.dumps({
            'action': 'subscribe',
            'stream_id': stream_id,
        }))
        async with httpx.AsyncClient() as client:
            async for message in ws:
                data = json.loads(message)
                if data['type'] == 'event':
                    await client.post(
                        webhook_url,
                        json=data['event'],
                        headers={'X-Stream-ID': stream_id},
                    )


asyncio.run(bridge_to_webhook(webhook_url=sys.argv[1], stream_id='production-agent-1'))
