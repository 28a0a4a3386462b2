// The flow that Codex AgentLoop's document describes, as a client of its would be written: say something, answer what is
// asked, show what comes, end when the agent is done. Usage: codex_client.mjs URL REVIEW
import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';

const [url, review] = process.argv.slice(2);
const ws = new WebSocket(url);
const send = (type, payload) => ws.send(JSON.stringify({ id: randomUUID(), type, payload }));

ws.on('open', () => {
  console.log('connected');
  send('user_input', {
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Is the tree clean?' }] }],
  });
});
ws.on('message', (data) => {
  const { type, payload } = JSON.parse(data.toString());
  switch (type) {
    case 'response_item':
      if (payload.type === 'message') {
        console.log(`${payload.role}: ${payload.content.map((part) => part.text).join('')}`);
      } else {
        console.log(payload.type);
      }
      break;
    case 'loading_state':
      console.log(payload.loading ? 'processing' : 'idle');
      break;
    case 'approval_request':
      console.log(`may I: ${payload.command.join(' ')}`);
      send('approval_response', { review });
      break;
    case 'agent_finished':
      console.log(`finished ${payload.responseId}`);
      ws.close();
      break;
    case 'error':
      console.log(`error: ${payload.message}`);
      ws.close();
      break;
    default:
      console.log(`unknown: ${type}`);
  }
});
ws.on('close', () => process.exit(0));
