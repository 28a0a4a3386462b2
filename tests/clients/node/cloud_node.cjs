const WebSocket = require('ws');

const ws = new WebSocket('ws://localhost:3000/ws?token=test-token');

ws.on('open', () => {
  console.log('✅ Connected');

  // Send presence
  ws.send(JSON.stringify({
    type: 'user_presence',
    data: 'online'
  }));
});

ws.on('message', (data) => {
  const message = JSON.parse(data);
  console.log('📨', message);
});

ws.on('close', () => {
  console.log('🔌 Disconnected');
});
