"""An agent whose event bus publishes by itself what its executor does: started, each node, progress, the end."""

import asyncio
import json
import sys
from datetime import datetime

import websockets


class EventBus:
    def __init__(self, ws):
        self.ws = ws

    async def publish(self, type, stream_id, execution_id, data):
        await self.ws.send(json.dumps({'action': 'publish', 'event': {
            'type': type,
            'stream_id': stream_id,
            'execution_id': execution_id,
            'data': data,
            'timestamp': datetime.now().isoformat(),
        }}))


class GraphExecutor:
    def __init__(self, graph, bus, stream_id):
        self.graph, self.bus, self.stream_id = graph, bus, stream_id

    async def execute(self, execution_id, input_data):
        def emit(type, data):
            return self.bus.publish(type, self.stream_id, execution_id, data)

        await emit('EXECUTION_STARTED', {
            'input_data': input_data, 'stream_id': self.stream_id, 'execution_id': execution_id,
        })
        value = input_data
        for done, (node, work) in enumerate(self.graph.items(), 1):
            try:
                value = work(value)
            except Exception as error:
                await emit('EXECUTION_FAILED', {'error': str(error), 'execution_id': execution_id})
                return None
            await emit('NODE_EXECUTED', {'node_id': node, 'output': value, 'execution_id': execution_id})
            await emit('GOAL_PROGRESS', {'progress': done / len(self.graph), 'criteria_status': {node: 'met'}})
        await emit('EXECUTION_COMPLETED', {'output': value, 'execution_id': execution_id})
        return value


async def main(url):
    graph = {'double': lambda value: value * 2, 'half': lambda value: value / 2}
    async with websockets.connect(url, proxy=None) as ws:
        executor = GraphExecutor(graph, EventBus(ws), stream_id='webhook')
        await executor.execute('exec-1', 21)
        await executor.execute('exec-2', None)


asyncio.run(main(sys.argv[1]))
