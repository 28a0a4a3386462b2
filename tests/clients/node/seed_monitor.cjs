const WebSocket = require('ws');

const ws = new WebSocket('ws://localhost:8765');

ws.on('open', () => {
    console.log('Connected to SAM WebSocket');
});

ws.on('message', (data) => {
    const message = JSON.parse(data);
    console.log(`${message.type}:`, message.data);
});

ws.on('close', () => {
    console.log('Disconnected from SAM WebSocket');
});
