// Just enough of a hub to see the browser's host at work: REST, the one-time code and a WebSocket, in plain Node.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const event = (seq, kind, data) => ({ seq, id: `e1:${seq}`, time: '2026-01-17T10:30:00.000Z', origin: 'sam', agent: 'sam', session: 's1', kind, type: kind, timestamp: '2026-01-17T10:30:00.000Z', data });

/** Text as one unmasked WebSocket frame (RFC 6455, section 5.2). */
function frame(text) {
  const body = Buffer.from(text);
  if (body.length < 126) return Buffer.concat([Buffer.from([0x81, body.length]), body]);
  const head = Buffer.from([0x81, 126, 0, 0]);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}

export async function hub(files) {
  const events = [event(1, 'tool_call_start', { tool_name: 'Bash', arguments: { command: 'ls' } })];
  const state = { code: 'c0de', upgrades: [], decisions: [], sockets: new Set(), approvals: [], down: false };
  const status = () => ({ version: '0', epoch: 'e1', head: events.length, durable: events.length, oldest: 1, listeners: [{ url: 'http://127.0.0.1' }], connections: 1, approvers: 0, pending: 0, store_bytes: 0, data_dir: '/', problems: [], upstreams: [], webhooks: [], presence: { at: 0, people: [] } });

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://hub');
    const body = await new Promise((done) => {
      let text = '';
      request.on('data', (chunk) => (text += chunk)).on('end', () => done(text === '' ? {} : JSON.parse(text)));
    });
    const send = (code, value) => response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const may = request.headers.authorization === 'Bearer t0ken';
    if (url.pathname === '/api/status') return send(200, status());
    if (url.pathname === '/api/agents') return send(200, { sessions: [] });
    if (url.pathname === '/api/events') {
      const [since, until] = [Number(url.searchParams.get('since') ?? 0), Number(url.searchParams.get('until') ?? Infinity)];
      return send(200, { events: events.filter(({ seq }) => seq > since && seq <= until), next: null });
    }
    if (url.pathname === '/api/approvals') return send(200, { approvals: state.approvals });
    if (url.pathname === '/api/dashboard') {
      if (body.code !== state.code) return send(403, { title: 'Forbidden', detail: 'the code was used' });
      state.code = undefined;
      return send(200, { token: 't0ken' });
    }
    if (url.pathname.endsWith('/decision')) {
      if (!may) return send(401, { title: 'Unauthorized' });
      state.decisions.push(body.decision);
      state.approvals = [];
      return send(200, {});
    }
    return files(request, response);
  });
  server.on('upgrade', (request, socket) => {
    if (state.down) return socket.destroy();
    state.upgrades.push(new URL(request.url, 'http://hub').searchParams.get('since'));
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.write(frame(JSON.stringify({ type: 'hello', timestamp: '', data: { epoch: 'e1', head: events.length, version: '0' } })));
    const since = Number(state.upgrades.at(-1).split(':')[1]);
    for (const { seq, kind, timestamp, data, agent, session } of events.slice(since)) socket.write(frame(JSON.stringify({ type: kind, timestamp, data, seq, agent, session })));
    state.sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => state.sockets.delete(socket));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));

  return {
    state,
    url: `http://127.0.0.1:${server.address().port}`,
    publish(kind, data) {
      const { seq, timestamp, agent, session } = events[events.push(event(events.length + 1, kind, data)) - 1];
      for (const socket of state.sockets) socket.write(frame(JSON.stringify({ type: kind, timestamp, data, seq, agent, session })));
    },
    /** Ends the sockets, and takes no other until `up`. */
    down() {
      state.down = true;
      for (const socket of state.sockets) socket.destroy();
    },
    up() {
      state.down = false;
    },
    close() {
      this.down();
      server.close();
      server.closeAllConnections();
    },
  };
}
