// What every session needs or does, kept up between the hub's own accounts of it.
import type { Activity } from '../generated/Activity';
import type { EventRow } from '../generated/EventRow';
import type { Origin } from '../generated/Origin';
import type { SessionView } from '../generated/SessionView';
import { hear } from './hooked';
import { isProbe, waitsForPerson } from './kinds';
import { errorText, fields, number, text, type Fields } from './read';

/** The activity trace: events in each of the last `BINS` spans of `BIN` ms. */
export const BIN = 5_000;
export const BINS = 24;
const MOST_SESSIONS = 2_000;
/** Without a connection and silent for so long, it is taken to be gone, ms; one with hooks may sit at its prompt for long. */
const SILENT = 600_000;
const SILENT_HOOKS = 43_200_000;

export interface Session {
  readonly key: string;
  readonly agent: string;
  readonly session: string;
  activity: Activity;
  since: number;
  task: string | undefined;
  pending: number;
  /** What the oldest request that waits is about. */
  asked: string | undefined;
  /** Why its run waits for a person, beside approvals. */
  waits: string | undefined;
  /** How far its run is, 0 to 1. */
  progress: number | undefined;
  /** The dialect it speaks, once known. */
  origin: Origin | undefined;
  stopped: boolean;
  /** A stop ends its run. */
  stops: boolean;
  /** The hub, or an event, has said whether it does. */
  heard: boolean;
  /** The session that started it as a subagent. */
  parent: string | undefined;
  /** What kind of subagent. */
  role: string | undefined;
  folder: string | undefined;
  /** It said that it is over. */
  ended: boolean;
  connections: number;
  /** Its connections are gone. Hooks have none: each is a program of a moment. */
  left: boolean;
  events: number;
  last: number;
  /** Calls that run, as far as seen. */
  running: number;
  /** Calls that were not allowed, and have had no end yet. */
  refused: number;
  /** It said that it works. */
  busy: boolean;
  trace: number[];
  traceEnd: number;
}

/** In the order in which a person should look. */
export const ACTIVITIES: readonly Activity[] = ['needs_you', 'working', 'failed', 'stopped', 'idle', 'gone'];

export function sessionKey(agent: string, session: string): string {
  return `${agent}\n${session}`;
}

function advance(session: Session, now: number): void {
  const bin = Math.floor(now / BIN);
  const shift = Math.min(BINS, bin - session.traceEnd);
  if (shift <= 0) return;
  session.trace = session.trace.slice(shift).concat(new Array<number>(shift).fill(0));
  session.traceEnd = bin;
}

export class SessionBook {
  private readonly known = new Map<string, Session>();

  private get(agent: string, name: string, time: number): Session {
    const key = sessionKey(agent, name);
    let session = this.known.get(key);
    if (!session) {
      session = {
        key,
        agent,
        session: name,
        activity: 'idle',
        since: time,
        task: undefined,
        pending: 0,
        asked: undefined,
        waits: undefined,
        progress: undefined,
        origin: undefined,
        stopped: false,
        stops: true,
        heard: false,
        parent: undefined,
        role: undefined,
        folder: undefined,
        ended: false,
        connections: 1,
        left: false,
        events: 0,
        last: time,
        running: 0,
        refused: 0,
        busy: false,
        trace: new Array<number>(BINS).fill(0),
        traceEnd: Math.floor(time / BIN),
      };
      this.known.set(key, session);
      if (this.known.size > MOST_SESSIONS) this.forget();
    }
    return session;
  }

  private forget(): void {
    for (const [key, { activity }] of this.known) {
      if (activity !== 'gone' && this.known.size <= 2 * MOST_SESSIONS) continue;
      this.known.delete(key);
      return;
    }
  }

  /** The hub's own account, asked for at that time: it decides, but for what has been seen since. */
  correct(views: readonly SessionView[], complete = true, asked = Date.now()): void {
    const named = new Set<string>();
    for (const view of views) {
      const last = Date.parse(view.last);
      const session = this.get(view.agent, view.session, last);
      named.add(session.key);
      if (complete && session.last > last && session.events > 0) continue;
      session.activity = view.activity;
      session.since = Date.parse(view.since);
      session.task = view.task;
      session.pending = view.pending;
      session.waits = view.activity === 'needs_you' && view.pending === 0 ? (view.task ?? '') : undefined;
      session.progress = view.progress;
      session.origin = view.origin ?? session.origin;
      session.stopped = view.stopped;
      session.stops = view.stops;
      session.heard = true;
      session.parent = view.parent ?? session.parent;
      session.role = view.role ?? session.role;
      session.folder = view.folder ?? session.folder;
      session.ended = view.activity === 'gone' && view.origin === 'hook';
      session.left = view.origin !== 'hook' && view.connections === 0 && (view.activity === 'gone' || session.left);
      session.connections = view.connections;
      session.events = view.events;
      session.last = Math.max(session.last, last);
      session.busy = view.activity === 'working' && session.running === 0;
      if (view.activity !== 'working' && view.activity !== 'needs_you') session.running = 0;
    }
    if (!complete) return;
    // Of an earlier run of the hub: it knows nothing of them, and hooks may well speak again.
    for (const [key, session] of this.known) {
      if (named.has(key) || session.last >= asked) continue;
      session.connections = 0;
      session.running = 0;
      session.busy = false;
      session.left = session.origin !== 'hook';
      session.pending = 0;
      session.activity = rest(session);
    }
  }

  apply(events: readonly EventRow[]): void {
    for (const event of events) {
      // A person is no session of an agent: there is nothing to stop.
      if (event.session === undefined || isProbe(event) || event.kind === 'user_presence') continue;
      const time = Date.parse(event.time);
      const session = this.get(event.agent, event.session, time);
      session.events += 1;
      if (event.origin && event.origin !== 'hub') {
        // Telemetry tells of a session that speaks otherwise, too.
        if (event.origin !== 'otlp' || session.origin === undefined) session.origin = event.origin;
        const carries = carriesStop(event.origin, event.agent);
        session.stops = session.heard ? session.stops || carries : carries;
        session.heard = true;
      }
      // Silent for long, and there after all.
      if (session.connections === 0 && event.origin !== 'hub') session.left = false;
      session.last = Math.max(session.last, time);
      advance(session, time);
      const place = BINS - 1 - (session.traceEnd - Math.floor(time / BIN));
      if (place >= 0 && place < BINS) session.trace[place] = (session.trace[place] ?? 0) + 1;
      const activity = step(session, event);
      if (activity !== session.activity) {
        session.activity = activity;
        session.since = time;
      }
    }
  }

  find(agent: string, session: string): Session | undefined {
    return this.known.get(sessionKey(agent, session));
  }

  /** The tools of the approvals that wait, oldest first, by session, as the registry has it. */
  waiting(asked: ReadonlyMap<string, readonly string[]>, now: number): void {
    for (const session of this.known.values()) {
      const tools = asked.get(session.key) ?? [];
      session.pending = tools.length;
      session.asked = tools[0];
      const activity = session.pending > 0 ? 'needs_you' : session.activity === 'needs_you' ? rest(session) : session.activity;
      if (activity !== session.activity) {
        session.activity = activity;
        session.since = now;
      }
    }
  }

  /** By need, then by name, so that a line stays where it is. Whoever has no connection and has been silent for long is taken to be gone. */
  list(now: number): Session[] {
    const all = [...this.known.values()];
    for (const session of all) {
      advance(session, now);
      session.left ||= session.connections === 0 && (session.activity === 'idle' || session.activity === 'working') && now - session.last > (session.origin === 'hook' ? SILENT_HOOKS : SILENT);
      if (session.left && (session.activity === 'idle' || session.activity === 'working')) session.activity = 'gone';
    }
    return all.sort(
      (a, b) =>
        ACTIVITIES.indexOf(a.activity) - ACTIVITIES.indexOf(b.activity) ||
        // As in the strip: who waits longest comes first.
        (a.activity === 'needs_you' ? a.since - b.since : 0) ||
        (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
    );
  }
}

function rest(session: Session): Activity {
  if (session.stopped) return 'stopped';
  if (session.waits !== undefined) return 'needs_you';
  if (session.ended || session.left) return 'gone';
  return session.running > 0 || session.busy ? 'working' : 'idle';
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** Nothing of the run before counts any longer. */
function over(session: Session): void {
  session.running = 0;
  session.busy = false;
  session.task = undefined;
  session.waits = undefined;
  session.progress = undefined;
}

function pause(session: Session, data: Fields): void {
  const reason = text(data, 'reason') ?? (data['reason'] === undefined ? '' : JSON.stringify(data['reason']));
  session.busy = false;
  session.task = reason;
  session.waits = waitsForPerson(reason) ? reason : undefined;
}

/** Whether an agent that speaks like this ends its run when it is stopped; the hub's reading of it (`carries_stop`). */
function carriesStop(origin: Origin, agent: string): boolean {
  return origin === 'hook' ? agent !== 'codex' : origin !== 'otlp';
}

const BUSY = /^(processing|working|running|busy|thinking|active|started)/i;
const QUIET = /^(idle|ready|waiting|done|finished|complete|stopped)/i;

function step(session: Session, event: EventRow): Activity {
  const data = fields(event.data);
  let next: Activity | undefined;
  const left = event.origin === 'hook' ? hear(session, event, data) : 'all';
  if (left === 'failed') next = 'failed';
  switch (left === 'all' ? event.kind : '') {
    case 'approval_resolved':
      // A hook says that a call begins before it asks whether it may; its end, told by the hub, is no failure then.
      if (session.origin === 'hook' && /^(denied|stopped|expired)$/.test(text(data, 'status') ?? '')) session.refused += 1;
      break;
    case 'tool_call_start':
      session.running += 1;
      session.task = text(data, 'tool_name');
      break;
    case 'tool_call_end':
      session.running = Math.max(0, session.running - 1);
      if (session.running === 0) session.task = undefined;
      if (data['success'] === false && session.refused > 0) session.refused -= 1;
      else if (data['success'] === false || (data['success'] === undefined && errorText(data['error']) !== undefined)) next = 'failed';
      break;
    case 'agent_status': {
      // Cloud Agents say `state` and count to a hundred.
      const status = text(data, 'state', 'status') ?? '';
      const percent = number(data, 'progress');
      if (percent !== undefined) session.progress = clamp(percent / 100);
      if (session.running === 0) session.task = text(data, 'currentTask', 'current_task', 'task') ?? status;
      if (BUSY.test(status)) session.busy = true;
      else if (QUIET.test(status)) session.busy = false;
      break;
    }
    case 'session_stopped':
      session.stopped = true;
      break;
    case 'execution_started':
    case 'execution_completed':
      over(session);
      session.busy = event.kind === 'execution_started';
      break;
    case 'execution_failed':
      over(session);
      session.task = errorText(data['error']);
      next = 'failed';
      break;
    case 'execution_paused':
      pause(session, data);
      break;
    case 'execution_resumed':
      session.waits = undefined;
      session.task = undefined;
      session.busy = true;
      break;
    case 'goal_progress': {
      const progress = number(data, 'progress');
      if (progress !== undefined) session.progress = clamp(progress);
      break;
    }
    case 'goal_achieved':
      session.progress = 1;
      break;
    case 'session_resumed':
      session.stopped = false;
      break;
    case 'agent_connected':
      // A session is first seen with one connection.
      if (session.events > 1) session.connections += 1;
      session.left = false;
      break;
    case 'agent_disconnected':
      session.connections = Math.max(0, session.connections - 1);
      session.left = session.connections === 0;
      session.running = 0;
      session.busy = false;
      break;
  }
  if (session.pending > 0) return 'needs_you';
  if (session.stopped) return 'stopped';
  if (session.waits !== undefined) return 'needs_you';
  if (next) return next;
  // A failure stays until something else happens; its result and its judgement are part of it.
  const echo = event.kind === 'tool_call_result' || event.kind.startsWith('system') || event.kind.startsWith('approval_');
  if (session.activity === 'failed' && echo) return 'failed';
  return rest(session);
}
