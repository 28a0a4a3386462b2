"""Hive's monitor with alerts: remembers who started, and tells of failures and broken rules."""

import asyncio
import json
from datetime import datetime

import websockets


class AgentMonitor:
    def __init__(self, alert_callback):
        self.alert_callback = alert_callback
        self.executions = {}

    async def monitor(self):
        async with websockets.connect('ws://localhost:8765') as ws:
            await ws.send(json.dumps({
                'action': 'subscribe',
                'event_types': ['EXECUTION_STARTED', 'EXECUTION_FAILED', 'CONSTRAINT_VIOLATION'],
            }))
            async for message in ws:
                data = json.loads(message)
                if data['type'] == 'event':
                    await self.handle_event(data['event'])

    async def handle_event(self, event):
        event_type = event['type']
        if event_type == 'execution_started':
            self.executions[event['execution_id']] = {
                'started': datetime.now(),
                'stream_id': event['stream_id'],
            }
        elif event_type == 'execution_failed':
            await self.alert_callback(
                level='error',
                message=f"Agent failed: {event['data'].get('error')}",
                execution_id=event['execution_id'],
            )
        elif event_type == 'constraint_violation':
            await self.alert_callback(
                level='warning',
                message=f"Constraint violated: {event['data']}",
                execution_id=event.get('execution_id'),
            )


async def send_alert(level, message, execution_id):
    print(f'[{level.upper()}] {message} (exec: {execution_id})', flush=True)


monitor = AgentMonitor(alert_callback=send_alert)
asyncio.run(monitor.monitor())
