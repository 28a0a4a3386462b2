// The browser's host: the hub that served this page, over REST and a WebSocket.
import { LiveSocket, page } from './live';
import { Rest } from './rest';
import { reasonOf } from '../stream/read';
import type { Platform, PlatformSignal } from './types';

const STATUS_EVERY_MS = 5_000;

/** Takes a one-time code out of the address, so that it stays in no history and no screenshot. */
function takeCode(): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (code === null) return undefined;
  history.replaceState(null, '', location.pathname + location.search);
  return code;
}

export async function browser(): Promise<Platform> {
  const rest = new Rest(new URLSearchParams(location.search).get('token'));
  const code = takeCode();
  // A code that was used, or is too old, leaves the page a reader.
  let refused: string | undefined;
  if (code !== undefined) await rest.exchange(code).catch((error: unknown) => (refused = reasonOf(error)));

  return {
    name: 'browser',
    get can() {
      return { answer: rest.mayAnswer, modal: rest.mayAnswer };
    },
    status: rest.status,
    sessions: rest.sessions,
    approvals: rest.approvals,
    approval: rest.approval,
    decide: rest.decide,
    stopSession: rest.stopSession,
    resumeSession: rest.resumeSession,
    rules: rest.rules,
    revokeRule: rest.revokeRule,
    history: rest.history,
    metrics: rest.metrics,
    addUpstream: rest.addUpstream,
    removeUpstream: rest.removeUpstream,
    retryWebhook: rest.retryWebhook,
    connections: rest.connections,
    connectAgent: rest.connectAgent,
    disconnectAgent: rest.disconnectAgent,
    examineAgent: rest.examineAgent,
    stream(since, reader) {
      // With the bearer the hub counts this page among those who can answer.
      const open = (url: string): WebSocket => page.open(rest.token === null ? url : `${url}&token=${encodeURIComponent(rest.token)}`);
      const live = new LiveSocket(location.origin.replace(/^http/, 'ws'), since, reader, { ...page, open });
      return () => live.end();
    },
    watch(listener: (signal: PlatformSignal) => void) {
      rest.onRight = () => listener({ type: 'capabilities', can: { answer: rest.mayAnswer, modal: rest.mayAnswer } });
      if (refused !== undefined) listener({ type: 'fault', what: 'The right to answer', why: `${refused}. Run countersign dashboard for a new address.` });
      const ask = (): void => {
        if (document.visibilityState === 'hidden') return;
        rest.status().then(
          (status) => listener({ type: 'status', status }),
          (error: unknown) => listener({ type: 'fault', what: 'The state of the hub', why: reasonOf(error) }),
        );
      };
      const timer = setInterval(ask, STATUS_EVERY_MS);
      return () => clearInterval(timer);
    },
  };
}
