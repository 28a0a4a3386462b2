// The shortest programs that show up in the window, for the address that the hub listens on.

export interface Way {
  readonly name: string;
  /** What to know first. */
  readonly about?: string;
  readonly text: string;
}

export function snippets(url: string): Way[] {
  const socket = url.replace(/^http/, 'ws');
  return [
    {
      name: 'Python',
      text: `# pip install websockets
import asyncio, json, websockets

URL = "${socket}/publish"

async def main():
    async with websockets.connect(URL) as ws:
        await ws.send(json.dumps({
            "type": "tool_call_start",
            "agent": "my-agent", "session": "s1",
            "data": {"tool_name": "execute_code",
                     "arguments": {"code": "print('hello')"}}}))

asyncio.run(main())`,
    },
    {
      name: 'Node',
      text: `// npm install ws
const WebSocket = require("ws");
const ws = new WebSocket("${socket}/publish");
ws.on("open", () => {
  ws.send(JSON.stringify({
    type: "tool_call_start",
    agent: "my-agent", session: "s1",
    data: { tool_name: "execute_code",
            arguments: { code: "print('hello')" } } }));
});`,
    },
    {
      name: 'curl',
      text: `curl ${url}/api/events \\
  -H 'Content-Type: application/json' \\
  -d '{"type": "tool_call_start",
       "agent": "my-agent", "session": "s1",
       "data": {"tool_name": "execute_code",
                "arguments": {"code": "print(1)"}}}'`,
    },
    {
      name: 'Shell',
      text: `# asks, waits, and runs only when you approve
countersign ask --tool bash --command 'rm -rf build' \\
  && rm -rf build`,
    },
  ];
}
