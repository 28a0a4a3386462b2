// The client of AMIGA's document, as it stands there: its options, its listeners, its four actions.
import { io } from 'socket.io-client-4.7.2';

const socket = io(process.argv[2], {
    transports: ['websocket', 'polling'],
    reconnection: true,
    reconnectionDelay: 1000,
    reconnectionAttempts: 5,
});
const tell = (name, data) => console.log(JSON.stringify({ name, data }));
socket.on('connect', () => {
    socket.emit('subscribe', { hours: 24, update_interval: 2 });
    socket.emit('request_refresh', { hours: 24 });
    socket.emit('set_interval', { interval: 5 });
    socket.emit('unsubscribe');
});
for (const name of ['connected', 'subscribed', 'metrics_update', 'interval_updated', 'unsubscribed', 'error']) {
    socket.on(name, (data) => tell(name, data));
}
socket.on('connect_error', (error) => console.error('Connection error:', error));
