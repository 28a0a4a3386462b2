// The React hook of the Cloud Agents guide, its logic as printed, over a small stand-in for React and a browser's WebSocket.
const WebSocket = require('ws');

const state = [];
let place = 0;
let effect = null;

const useState = (initial) => {
  const own = place++;
  if (!(own in state)) state[own] = initial;
  return [state[own], (next) => {
    state[own] = typeof next === 'function' ? next(state[own]) : next;
    render();
  }];
};
const useRef = (initial) => {
  const own = place++;
  if (!(own in state)) state[own] = { current: initial };
  return state[own];
};
const useEffect = (run) => {
  effect ??= run() ?? (() => {});
};

function useWebSocket(token) {
  const [isConnected, setIsConnected] = useState(false);
  const [agentStatus, setAgentStatus] = useState(null);
  const [notifications, setNotifications] = useState([]);
  const wsRef = useRef(null);

  useEffect(() => {
    const ws = new WebSocket(`ws://localhost:3000/ws?token=${token}`);
    wsRef.current = ws;

    ws.onopen = () => {
      setIsConnected(true);
    };

    ws.onmessage = (event) => {
      const message = JSON.parse(event.data);

      switch (message.type) {
        case 'agent_status':
          setAgentStatus(message.data);
          break;
        case 'notification':
          setNotifications(prev => [...prev, message.data]);
          break;
      }
    };

    ws.onclose = () => {
      setIsConnected(false);
    };

    return () => {
      ws.close();
    };
  }, [token]);

  const sendPresence = (status) => {
    wsRef.current?.send(JSON.stringify({
      type: 'user_presence',
      data: status
    }));
  };

  return {
    isConnected,
    agentStatus,
    notifications,
    sendPresence
  };
}

let hook;
function render() {
  place = 0;
  hook = useWebSocket('your-token');
  console.log(JSON.stringify({ isConnected: hook.isConnected, agentStatus: hook.agentStatus, notifications: hook.notifications }));
}
render();

process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => text.split('\n').filter(Boolean).forEach((status) => hook.sendPresence(status)));
process.stdin.on('end', () => process.exit(0));
