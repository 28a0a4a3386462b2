// Hive's dashboard hook. Node's ws stands for the browser's WebSocket, and React's two functions are stood in for below.
const WebSocket = require('ws');

const shown = {};
function useState(first) {
  const name = ['events', 'status', 'progress'][Object.keys(shown).length];
  shown[name] = first;
  return [first, (next) => {
    shown[name] = typeof next === 'function' ? next(shown[name]) : next;
    console.log(JSON.stringify({ events: shown.events.length, status: shown.status, progress: shown.progress }));
  }];
}
function useEffect(effect) {
  process.on('SIGTERM', effect());
}

function useAgentStream(streamId) {
  const [events, setEvents] = useState([]);
  const [status, setStatus] = useState('idle');
  const [progress, setProgress] = useState(0);

  useEffect(() => {
    const ws = new WebSocket('ws://localhost:8765');

    ws.onopen = () => {
      ws.send(JSON.stringify({ action: 'subscribe', stream_id: streamId }));
    };

    ws.onmessage = (msg) => {
      const data = JSON.parse(msg.data);

      if (data.type === 'event') {
        const event = data.event;
        setEvents((prev) => [...prev, event]);

        switch (event.type) {
          case 'execution_started':
            setStatus('running');
            break;
          case 'goal_progress':
            setProgress(event.data.progress * 100);
            break;
          case 'execution_completed':
            setStatus('completed');
            break;
          case 'execution_failed':
            setStatus('failed');
            break;
        }
      }
    };

    return () => ws.close();
  }, [streamId]);

  return { events, status, progress };
}

useAgentStream('webhook');
