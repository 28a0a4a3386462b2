"""Hive's orchestrator: an agent that is done starts the next one of the line."""

import asyncio
import json

import websockets


class AgentOrchestrator:
    def __init__(self):
        self.agent_status = {}

    async def orchestrate(self):
        async with websockets.connect('ws://localhost:8765') as ws:
            await ws.send(json.dumps({'action': 'subscribe'}))
            async for message in ws:
                data = json.loads(message)
                if data['type'] == 'event':
                    event = data['event']
                    stream_id = event['stream_id']
                    if event['type'] == 'execution_completed':
                        self.agent_status[stream_id] = 'completed'
                        if stream_id == 'data-collector':
                            await self.start_agent('data-analyzer', event['data'])
                        elif stream_id == 'data-analyzer':
                            await self.start_agent('report-generator', event['data'])

    async def start_agent(self, stream_id: str, input_data: dict):
        print(f'Starting {stream_id} with input: {input_data}', flush=True)


asyncio.run(AgentOrchestrator().orchestrate())
