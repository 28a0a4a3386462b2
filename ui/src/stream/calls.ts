// Finds the row that an event of a tool call belongs to. SAM gives calls no id, so most of it goes by agent, session, tool and order.
import type { EventRow } from '../generated/EventRow';
import { fields, id, text, type Fields } from './read';
import { judgement, timeOf, type Row } from './row';

/** How long after a call's last sign a judgement, a start or a result may still be meant for it, ms. */
const NEAR = { judgement: 30_000, start: 60_000, result: 5_000 };
const MOST_OPEN = 512;
const MOST_RECENT = 32;
const MOST_SESSIONS = 2_000;
const MOST_REQUESTS = 4_000;

interface Calls {
  /** Not over: asked, judged or running. Oldest first. */
  open: Row[];
  /** Over, or answered with a no. Oldest first. */
  recent: Row[];
}

export function callId(event: EventRow): string | undefined {
  return id(fields(event.data), 'call_id', 'tool_call_id', 'id');
}

const lastTime = (row: Row): number => timeOf(row.events[row.events.length - 1]!);
const near = (row: Row, event: EventRow, within: number): boolean => timeOf(event) - lastTime(row) <= within;

function sameArguments(row: Row, event: EventRow): boolean {
  const known = fields((row.start ?? row.asked)?.data)['arguments'];
  const given = fields(event.data)['arguments'];
  return known === undefined || given === undefined || JSON.stringify(known) === JSON.stringify(given);
}

/** By id where both have one; `fits` decides otherwise. */
function pick(rows: Row[], event: EventRow, fits: (row: Row) => boolean): Row | undefined {
  const wanted = callId(event);
  const tool = text(fields(event.data), 'tool_name');
  if (wanted !== undefined) {
    const named = rows.find((row) => row.callId === wanted && (tool === undefined || row.tool === undefined || row.tool === tool));
    if (named) return named;
  }
  return rows.find((row) => row.tool === tool && (wanted === undefined || row.callId === undefined) && fits(row));
}

/** The row of a call that is over and of which telemetry told, or tells now: ids are its own there, as a hook's are. */
function toldTwice(rows: Row[], event: EventRow): Row | undefined {
  const wanted = callId(event);
  const measured = (row: Row): boolean => [event, row.start, row.end].some((told) => told?.origin === 'otlp');
  return wanted === undefined ? undefined : rows.find((row) => row.callId === wanted && measured(row));
}

function lastOfBatch(rows: Row[], data: Fields): Row | undefined {
  const calls: unknown[] = Array.isArray(data['tool_calls']) ? data['tool_calls'] : [];
  const wanted = id(fields(calls.at(-1)), 'tool_use_id');
  return wanted === undefined ? undefined : rows.findLast((row) => row.callId === wanted);
}

export class CallBook {
  private readonly sessions = new Map<string, Calls>();
  private readonly requests = new Map<string, Row>();
  /** The newest prompt of each session of which hooks or telemetry tell. */
  private readonly turns = new Map<string, Row>();

  private callsOf(event: { agent: string; session?: string | undefined }): Calls {
    const key = sessionOf(event);
    let calls = this.sessions.get(key);
    if (!calls) {
      calls = { open: [], recent: [] };
      this.sessions.set(key, calls);
      if (this.sessions.size > MOST_SESSIONS) {
        for (const [name, old] of this.sessions) {
          if (old.open.length === 0 || this.sessions.size > 2 * MOST_SESSIONS) {
            this.sessions.delete(name);
            break;
          }
        }
      }
    }
    return calls;
  }

  /** The row this event goes into; without one it opens its own. */
  find(event: EventRow): Row | undefined {
    const { open, recent } = this.callsOf(event);
    const data = fields(event.data);
    switch (event.kind) {
      case 'tool_call_start':
        return (
          toldTwice(recent, event) ??
          pick(
            open,
            event,
            (row) => !row.start && row.outcome !== 'blocked' && sameArguments(row, event) && (row.outcome === 'asked' || near(row, event, NEAR.start)),
          )
        );
      case 'tool_telemetry':
        // The hub names the call; where it could not, the record stands by itself.
        return pick([...open, ...recent].reverse(), event, () => false);
      case 'permission_denied':
        return pick([...open].reverse(), event, (row) => !row.end && sameArguments(row, event)) ?? pick([...recent].reverse(), event, () => false);
      case 'post_tool_batch':
        // Says once more what its calls have said.
        return lastOfBatch([...recent, ...open], data);
      case 'notification':
        // The question that it is about has a row, which says more.
        return text(data, 'notification_type') === 'permission_prompt' ? open.findLast((row) => row.outcome === 'asked') : undefined;
      case 'otel_log':
        // The prompt that a hook has told in full.
        return text(data, 'name') === 'user_prompt' ? this.turns.get(sessionOf(event)) : undefined;
      case 'usage':
        return event.origin === 'otlp' ? this.turns.get(sessionOf(event)) : undefined;
      case 'tool_call_end':
        return (
          toldTwice(recent, event) ??
          pick(open, event, (row) => row.start !== undefined && !row.end) ??
          // An answer of no ends a call for the page; agents may still report its end.
          pick(recent, event, (row) => !row.end && row.resolved !== undefined && near(row, event, NEAR.start))
        );
      case 'tool_call_result':
        return (
          pick(recent, event, (row) => !row.result && row.outcome === 'ok' && near(row, event, NEAR.result)) ??
          pick(open, event, (row) => row.start !== undefined && !row.result) ??
          // A call that failed may still have said something.
          pick(recent, event, (row) => !row.result && near(row, event, NEAR.result))
        );
      case 'approval_request':
        return pick(
          open,
          event,
          (row) => !row.asked && !row.end && sameArguments(row, event) && (row.start !== undefined || near(row, event, NEAR.start)),
        );
      case 'approval_resolved':
      case 'approval_delivered':
        return this.requests.get(requestKey(event));
      case 'system3_evaluation': {
        const unjudged = (row: Row): boolean => row.judgements.length === 0;
        return (
          pick(open, event, unjudged) ?? pick([...recent].reverse(), event, (row) => unjudged(row) && near(row, event, NEAR.judgement))
        );
      }
      case 'system2_intervention':
      case 'system3_intervention': {
        const tool = text(data, 'tool_name') ?? text(fields(data['details']), 'tool_name', 'tool');
        const latest = [...recent, ...open].filter((row) => tool === undefined || row.tool === tool).sort((a, b) => b.id - a.id);
        if (event.kind === 'system2_intervention' && tool === undefined) return undefined;
        return latest.find(
          (row) =>
            near(row, event, NEAR.judgement) &&
            (row.outcome === 'running' || row.outcome === 'asked' || row.judgements.some((known) => judgement(known) === 'against')),
        );
      }
      default:
        return undefined;
    }
  }

  /** A prompt began a turn: what the model takes from now on belongs to it. */
  begin(row: Row): void {
    const key = sessionOf(row);
    this.turns.delete(key);
    this.turns.set(key, row);
    if (this.turns.size > MOST_SESSIONS) this.turns.delete(this.turns.keys().next().value as string);
  }

  /** Files a row again after it changed. */
  file(row: Row): void {
    const calls = this.callsOf(row);
    const refused = ['denied', 'stopped', 'expired', 'cancelled', 'withdrawn'].includes(row.outcome);
    const over = row.end !== undefined || (row.result !== undefined && !row.start) || refused;
    const [to, from] = over ? [calls.recent, calls.open] : [calls.open, calls.recent];
    const place = from.indexOf(row);
    if (place >= 0) from.splice(place, 1);
    if (!to.includes(row)) to.push(row);
    if (calls.open.length > MOST_OPEN) calls.open.shift();
    if (calls.recent.length > MOST_RECENT) calls.recent.shift();
    if (row.asked) {
      this.requests.set(requestKey(row.asked), row);
      if (this.requests.size > MOST_REQUESTS) this.requests.delete(this.requests.keys().next().value as string);
    }
  }

  /** Puts calls of an older page, still open at its end, before those known. */
  adopt(older: CallBook): void {
    for (const [key, { open }] of older.sessions) {
      if (open.length === 0) continue;
      const known = this.sessions.get(key);
      if (known) known.open = [...open, ...known.open].slice(-MOST_OPEN);
      else this.sessions.set(key, { open: [...open], recent: [] });
    }
    for (const [key, row] of older.turns) if (!this.turns.has(key)) this.turns.set(key, row);
    for (const [key, row] of older.requests) if (!this.requests.has(key)) this.requests.set(key, row);
  }

  /** The rows that were running when their agent went away. */
  running(agent: string, session: string | undefined): Row[] {
    return this.callsOf({ agent, session }).open.filter((row) => row.start !== undefined);
  }
}

function sessionOf(event: { agent: string; session?: string | undefined }): string {
  return `${event.agent}\n${event.session ?? ''}`;
}

function requestKey(event: EventRow): string {
  return `${event.agent}\n${id(fields(event.data), 'request_id') ?? event.seq}`;
}
