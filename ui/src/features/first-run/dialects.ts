// The shortest program of each dialect that shows up in the window, at the address that the hub listens on.
import { snippets, type Way } from './snippets';

export function dialectWays(url: string): Way[] {
  const socket = url.replace(/^http/, 'ws');
  const sam = snippets(url)[0]?.text ?? '';
  return [
    { name: 'sam', about: 'Monitors connect to the root, agents to /publish.', text: sam },
    {
      name: 'hive',
      about: 'Clients subscribe at /stream; agents publish there, too. Where tokens are required, {"action": "auth", "token": …} comes first.',
      text: `# pip install websockets
import asyncio, json, websockets

async def main():
    async with websockets.connect("${socket}/stream") as ws:
        await ws.send(json.dumps({"action": "publish", "event": {
            "type": "EXECUTION_STARTED",
            "stream_id": "my-stream", "execution_id": "run-1",
            "data": {"input": "hello"}}}))

asyncio.run(main())`,
    },
    {
      name: 'amiga',
      about: 'A Socket.IO client gets the figures, at once and whenever they change.',
      text: `// npm install socket.io-client
const { io } = require("socket.io-client");
const socket = io("${url}");
socket.on("connected", () =>
  socket.emit("subscribe", { hours: 24, update_interval: 2 }));
socket.on("metrics_update", (metrics) =>
  console.log(metrics.overview.tasks));`,
    },
    {
      name: 'cloud',
      about: 'Clients connect with a token: countersign token create --subject ada. Agents publish at /publish or over REST.',
      text: `curl ${url}/api/events \\
  -H 'Content-Type: application/json' \\
  -d '{"type": "agent_status",
       "data": {"agentName": "Writer", "state": "working",
                "currentTask": "Draft", "progress": 40}}'`,
    },
    {
      name: 'codex',
      about: 'A client of AgentLoop talks to the agent behind the hub.',
      text: `// npm install ws
const WebSocket = require("ws");
const ws = new WebSocket("${socket}/codex");
ws.on("message", (text) => console.log(JSON.parse(text)));
ws.on("open", () => ws.send(JSON.stringify({
  id: "1", type: "user_input",
  payload: { input: [{ type: "message", role: "user",
    content: [{ type: "input_text", text: "hello" }] }] } })));`,
    },
  ];
}
