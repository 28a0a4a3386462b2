// Hive's quick start: subscribes to all events, then to some; the second subscription replaces the first.
const WebSocket = require('ws');

const ws = new WebSocket('ws://localhost:8765');

ws.onopen = () => {
  ws.send(JSON.stringify({ action: 'subscribe' }));

  ws.send(
    JSON.stringify({
      action: 'subscribe',
      stream_id: 'webhook',
      event_types: ['EXECUTION_STARTED', 'EXECUTION_COMPLETED', 'GOAL_PROGRESS'],
    }),
  );
};

ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  if (data.type === 'event') {
    console.log(`${data.event.type}:`, JSON.stringify(data.event.data));
  } else {
    console.log(data.type);
  }
};
