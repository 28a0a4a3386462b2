// One connection with Node's ws at its defaults: lines of JSON strings in are sent, what comes is printed as lines of JSON.
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const socket = new WebSocket(process.argv[2]);
socket.on('open', () => tell({ open: true }));
socket.on('message', (data) => tell({ message: data.toString() }));
socket.on('close', (code, reason) => tell({ closed: code, reason: reason.toString() }));
socket.on('error', (error) => tell({ error: error.message }));
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => socket.send(JSON.parse(line)));
lines.on('close', () => process.exit(0));
