// A WebSocket server on Node's ws that says what it is told to: lines of JSON in are sent to whoever is connected, `{"close":true}` ends
// the connections; who comes and what they say is printed as lines of JSON.
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';

const tell = (event) => console.log(JSON.stringify(event));
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]) });
server.on('listening', () => tell({ port: server.address().port }));
server.on('connection', (socket, request) => {
  tell({ open: request.url, authorization: request.headers.authorization ?? null });
  socket.on('message', (message) => tell({ message: message.toString() }));
  socket.on('close', () => tell({ closed: true }));
});
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const said = JSON.parse(line);
  for (const socket of server.clients) {
    if (said.close) socket.close();
    else socket.send(JSON.stringify(said));
  }
});
lines.on('close', () => process.exit(0));
