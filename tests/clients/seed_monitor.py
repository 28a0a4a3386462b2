import asyncio
import websockets
import json

async def monitor_sam():
    uri = "ws://localhost:8765"
    async with websockets.connect(uri) as websocket:
        print("Connected to SAM WebSocket")
        
        async for message in websocket:
            data = json.loads(message)
            print(f"{data['type']}: {data['data']}")

asyncio.run(monitor_sam())
