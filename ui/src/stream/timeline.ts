// The loaded part of the log as rows: bounded, in order, tool calls merged. Knows nothing of what is shown of it.
import type { EventRow } from '../generated/EventRow';
import { CallBook, callId } from './calls';
import { groupOf, waitsForPerson } from './kinds';
import { lighten } from './lighten';
import { fields, text } from './read';
import { isCall, makeRow, settle, type Row } from './row';
import { sessionKey } from './sessions';

/** Rows held while the newest are followed, and while somebody reads older ones. */
export const MOST_ROWS = 20_000;
export const MOST_ROWS_READING = 40_000;

const GOES_ON = new Set(['execution_resumed', 'execution_started', 'execution_completed', 'execution_failed']);
const MOST_PAUSED = 1_000;

function isPause(event: EventRow): boolean {
  return event.kind === 'execution_paused' && waitsForPerson(text(fields(event.data), 'reason') ?? '');
}

/** What a hook told stays, whatever telemetry tells of the same. */
const better = (known: EventRow | undefined, event: EventRow): EventRow => (known !== undefined && event.origin === 'otlp' ? known : event);

function put(row: Row, event: EventRow): void {
  switch (event.kind) {
    case 'tool_call_start':
      row.start = better(row.start, event);
      row.agentGone = false;
      break;
    case 'tool_call_end':
      row.end = better(row.end, event);
      break;
    case 'tool_call_result':
      row.result = event;
      break;
    case 'approval_request':
      row.asked = event;
      break;
    case 'approval_resolved':
      row.resolved = event;
      break;
    case 'system2_intervention':
    case 'system3_evaluation':
    case 'system3_intervention':
      row.judgements.push(event);
      break;
    case 'permission_denied':
      row.refused = event;
      break;
    case 'tool_telemetry':
      row.telemetry.push(event);
      break;
  }
  row.tool ??= text(fields(event.data), 'tool_name');
  row.callId ??= callId(event);
}

export class Timeline {
  /** Oldest first. A new array whenever rows came or went. */
  rows: Row[] = [];
  /** The newest event taken in, and the oldest one loaded. */
  last = 0;
  first = 0;
  /** Rows let go of at the front since the start: what a reader of older rows has to make up for. */
  evicted = 0;
  private book = new CallBook();
  /** The rows of runs that wait for a person, by session. */
  private readonly paused = new Map<string, Row>();

  constructor(private readonly limits = { following: MOST_ROWS, reading: MOST_ROWS_READING }) {}

  reset(): void {
    this.rows = [];
    this.first = 0;
    this.last = 0;
    this.book = new CallBook();
    this.paused.clear();
  }

  /** Takes the next events in, in order; what was seen before is passed over. Returns the rows that changed, new ones included. */
  apply(events: readonly EventRow[], following = true): Set<Row> {
    const changed = new Set<Row>();
    const made: Row[] = [];
    for (const event of events) {
      if (event.seq <= this.last) continue;
      this.last = event.seq;
      if (this.first === 0) this.first = event.seq;
      this.take(event, made, changed);
    }
    if (made.length > 0) this.rows = this.rows.concat(made);
    this.trim(following);
    return changed;
  }

  private take(raw: EventRow, made: Row[], changed: Set<Row>): void {
    const { event, partial } = lighten(raw);
    const known = this.book.find(event);
    if (known) {
      known.events.push(event);
      known.partial ||= partial;
      this.refresh(known, event);
      changed.add(known);
      return;
    }
    const row = makeRow(event, groupOf(event.kind), partial);
    this.refresh(row, event);
    made.push(row);
    changed.add(row);
    this.pause(row, event, changed);
    if (event.kind === 'agent_disconnected') {
      for (const running of this.book.running(event.agent, event.session)) {
        running.agentGone = true;
        settle(running);
        changed.add(running);
      }
    }
  }

  /** A run that waits for a person does so until it goes on, or is over. */
  private pause(row: Row, event: EventRow, changed: Set<Row>): void {
    if (event.session === undefined) return;
    const key = sessionKey(event.agent, event.session);
    const before = this.paused.get(key);
    const waits = isPause(event);
    if (before && (waits || GOES_ON.has(event.kind))) {
      before.waits = false;
      settle(before);
      changed.add(before);
      this.paused.delete(key);
    }
    if (!waits) return;
    row.waits = true;
    settle(row);
    this.paused.set(key, row);
    if (this.paused.size > MOST_PAUSED) this.paused.delete(this.paused.keys().next().value as string);
  }

  private refresh(row: Row, event: EventRow): void {
    if (isCall(row)) put(row, event);
    else if (event.kind === 'usage' && row.kind !== 'usage') row.usage.push(event);
    settle(row);
    if (isCall(row)) this.book.file(row);
    else if (event.kind === 'chat_message' && (event.origin === 'hook' || event.origin === 'otlp') && text(fields(event.data), 'sender') === 'user') this.book.begin(row);
  }

  private trim(following: boolean): void {
    const most = following ? this.limits.following : this.limits.reading;
    const excess = this.rows.length - most;
    if (excess <= 0) return;
    this.rows = this.rows.slice(excess);
    this.evicted += excess;
    this.first = this.rows[0]?.id ?? this.last;
  }

  /** Lets go of what was held for a reader of older rows. */
  follow(): void {
    this.trim(true);
  }

  /** Whether another page fits in front. */
  get room(): number {
    return Math.max(0, this.limits.reading - this.rows.length);
  }

  /** Puts an older page, in order, in front. Ends without a start find theirs there. Returns how many rows came in front, net. */
  prepend(events: readonly EventRow[]): number {
    const fresh = events.filter((event) => this.first === 0 || event.seq < this.first);
    if (fresh.length === 0) return 0;
    const older = new Timeline({ following: Infinity, reading: Infinity });
    older.apply(fresh);
    const before = this.rows.length;
    const joined = new Set<Row>();
    for (const row of this.rows) {
      if (isCall(row) ? row.start !== undefined || row.asked !== undefined : row.kind !== 'approval_resolved' && row.kind !== 'approval_delivered') continue;
      if (row.events.every((event) => older.join(event, row.partial))) joined.add(row);
    }
    const kept = joined.size > 0 ? this.rows.filter((row) => !joined.has(row)) : this.rows;
    this.rows = older.rows.concat(kept);
    this.book.adopt(older.book);
    this.resume(older);
    this.first = older.first;
    if (this.last === 0) this.last = older.last;
    return this.rows.length - before;
  }

  /** What waits on an older page may have gone on since. */
  private resume(older: Timeline): void {
    for (const [key, row] of older.paused) {
      const later = this.rows.some((other) => other.id > row.id && other.session !== undefined && sessionKey(other.agent, other.session) === key && (GOES_ON.has(other.kind) || other.waits));
      if (later) {
        row.waits = false;
        settle(row);
      } else this.paused.set(key, row);
    }
  }

  /** Takes an event of a row that opened without its start, if the start is here. */
  private join(event: EventRow, partial: boolean): boolean {
    const known = this.book.find(event);
    if (!known) return false;
    known.events.push(event);
    known.partial ||= partial;
    this.refresh(known, event);
    return true;
  }
}
