// One connection with socket.io-client: URL, transports with commas, namespace, token, package. Lines `[name, ...arguments]` in are
// emitted (`["?transport"]` asks for the transport); what comes is printed as lines of JSON.
import { createInterface } from 'node:readline';

const [url, transports, namespace = '/', token = '', client = 'socket.io-client'] = process.argv.slice(2);
const { io } = await import(client);
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const plain = (value) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
        return { bytes: JSON.parse(new TextDecoder().decode(value)) };
    }
    return value;
};
const socket = io(`${url}${namespace === '/' ? '' : namespace}`, {
    transports: transports.split(','),
    reconnection: false,
    auth: token ? { token } : undefined,
});
socket.on('connect', () => tell({ open: true }));
socket.on('disconnect', (reason) => tell({ disconnected: reason }));
socket.on('connect_error', (error) => tell({ refused: { message: error.message } }));
socket.onAny((event, ...args) => tell({ event, args: args.map(plain) }));
const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
    const [name, ...args] = JSON.parse(line);
    if (name === '?transport') tell({ transport: socket.io.engine.transport.name });
    else if (name === '?ack') tell({ ack: (await socket.timeout(30000).emitWithAck(...args)) ?? null });
    else socket.emit(name, ...args);
});
lines.on('close', () => process.exit(0));
