"""Measures what Socket.IO subscribers cost the hub: URL, its process id, how many subscribers. Hours and intervals are mixed; the
processor time of the hub is read while nothing changes, and while things change at several rates."""

import asyncio
import json
import sys
import time

import httpx
import websockets

url, pid, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
HOURS = [1, 2, 6, 12, 24, 48, 96, 168]
INTERVALS = [1, 2, 5, 10, 30, 60]
SECONDS = 20
received = 0


def processor_seconds():
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory():
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


async def subscriber(number, hours):
    global received
    address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(address, proxy=None, compression=None, ping_interval=None) as socket:
        await socket.recv()
        await socket.send("40")
        interval = INTERVALS[number % len(INTERVALS)]
        wants = {"hours": hours[number % len(hours)], "update_interval": interval}
        await socket.send("42" + json.dumps(["subscribe", wants]))
        async for message in socket:
            if message == "2":
                await socket.send("3")
            elif message.startswith('42["metrics_update"'):
                received += 1


async def phase(name, rate):
    global received
    before, got, begun, sent = processor_seconds(), received, time.monotonic(), 0
    async with httpx.AsyncClient(trust_env=False) as client:
        while (passed := time.monotonic() - begun) < SECONDS:
            due = int(passed * rate)
            if due > sent:
                events = [
                    {"type": "tool_call_start", "data": {"tool_name": f"tool {n % 40}"}, "agent": "a", "session": f"s{n % 9}"}
                    for n in range(sent, due)
                ]
                await client.post(f"{url}/api/events", json=events)
                sent = due
            await asyncio.sleep(0.05)
    used = processor_seconds() - before
    print(f"{name}: {100 * used / SECONDS:.1f} % of a core, {received - got} updates, {memory():.0f} MiB", flush=True)


async def main():
    for hours in ([24], HOURS):
        print(f"{count} subscribers, {len(hours)} stretches of time", flush=True)
        tasks = []
        for number in range(count):
            tasks.append(asyncio.create_task(subscriber(number, hours)))
            if number % 50 == 49:
                await asyncio.sleep(0.1)
        while received < count:
            await asyncio.sleep(0.2)
        await asyncio.sleep(2)
        await phase("nothing changes", 0)
        await phase("1 change a second", 1)
        await phase("100 changes a second", 100)
        await phase("1,000 changes a second", 1000)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        globals()["received"] = 0


asyncio.run(main())
