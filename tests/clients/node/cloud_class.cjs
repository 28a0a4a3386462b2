// The browser client of the Cloud Agents guide, as printed; a browser's WebSocket, document and toast are stood in for.
const WebSocket = require('ws');

const document = {
  getElementById: (id) => ({
    set innerText(text) {
      console.log(JSON.stringify({ id, text }));
    },
  }),
};
const showToast = (level, message) => console.log(JSON.stringify({ level, message }));

class CloudAgentsWebSocket {
  constructor(token) {
    this.token = token;
    this.ws = null;
    this.reconnectDelay = 5000;
    this.connect();
  }

  connect() {
    this.ws = new WebSocket(`ws://localhost:3000/ws?token=${this.token}`);

    this.ws.onopen = () => {
      console.log('✅ WebSocket connected');
      this.startHeartbeat();
    };

    this.ws.onmessage = (event) => {
      const message = JSON.parse(event.data);
      this.handleMessage(message);
    };

    this.ws.onclose = () => {
      console.log('🔌 WebSocket disconnected');
      this.reconnect();
    };

    this.ws.onerror = (error) => {
      console.error('WebSocket error:', error);
    };
  }

  handleMessage(message) {
    switch (message.type) {
      case 'agent_status':
        this.onAgentStatus(message.data);
        break;
      case 'chat_message':
        this.onChatMessage(message.data);
        break;
      case 'notification':
        this.onNotification(message.data);
        break;
      case 'user_presence':
        this.onUserPresence(message.data);
        break;
    }
  }

  startHeartbeat() {
    this.heartbeatInterval = setInterval(() => {
      this.send({ type: 'ping' });
    }, 30000);
  }

  reconnect() {
    clearInterval(this.heartbeatInterval);
    setTimeout(() => {
      console.log('🔄 Reconnecting...');
      this.connect();
    }, this.reconnectDelay);
  }

  send(message) {
    if (this.ws.readyState === WebSocket.OPEN) {
      this.ws.send(JSON.stringify(message));
    }
  }

  setPresence(status) {
    this.send({
      type: 'user_presence',
      data: status
    });
  }

  // Override these in your app
  onAgentStatus(data) { console.log('Agent status:', data); }
  onChatMessage(data) { console.log('Chat message:', data); }
  onNotification(data) { console.log('Notification:', data); }
  onUserPresence(data) { console.log('User presence:', data); }

  close() {
    clearInterval(this.heartbeatInterval);
    this.ws.close();
  }
}

// Usage
const client = new CloudAgentsWebSocket('your-token-here');

// Custom handlers
client.onAgentStatus = (data) => {
  document.getElementById('agent-status').innerText = data.state;
};

client.onNotification = (data) => {
  showToast(data.level, data.message);
};

// What the test says: a status for `setPresence`; the end of input ends the client.
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => text.split('\n').filter(Boolean).forEach((status) => client.setPresence(status)));
process.stdin.on('end', () => process.exit(0));
