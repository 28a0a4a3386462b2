// A row of the timeline: a tool call with all that belongs to it, or a single event. How a row stands follows from its events.
import type { EventRow } from '../generated/EventRow';
import { errorText, fields, number, text } from './read';

/** What filter chips tell apart. */
export type Group = 'calls' | 'runs' | 'messages' | 'judgements' | 'activity' | 'hub' | 'other';

export type Outcome =
  /** A call that waits for a person. */
  | 'asked'
  /** Approved, not yet started. */
  | 'approved'
  /** Judged by the agent's own system 3, not yet started. */
  | 'judged'
  | 'running'
  | 'ok'
  /** Over, and nobody said how it went. */
  | 'ended'
  | 'failed'
  | 'blocked'
  | 'denied'
  | 'stopped'
  | 'expired'
  | 'cancelled'
  /** Taken back: it was answered in the terminal, or its hook is gone; what came of it is not known yet. */
  | 'withdrawn'
  /** It ran when its agent went away. */
  | 'left'
  /** Not a call. */
  | 'none';

export interface Row {
  /** The seq of its first event, so unique and in order. */
  readonly id: number;
  readonly group: Group;
  readonly kind: string;
  readonly agent: string;
  readonly session: string | undefined;
  tool: string | undefined;
  /** When the hub took its first event in, ms. */
  readonly time: number;
  /** All of its events, in order. */
  events: EventRow[];
  callId: string | undefined;
  start: EventRow | undefined;
  result: EventRow | undefined;
  end: EventRow | undefined;
  asked: EventRow | undefined;
  resolved: EventRow | undefined;
  judgements: EventRow[];
  /** The agent said that the call was refused, by its own rules or in the terminal. */
  refused: EventRow | undefined;
  /** What telemetry says of the call. */
  telemetry: EventRow[];
  /** What the model took for the turn that this prompt began. */
  usage: EventRow[];
  outcome: Outcome;
  /** How long the call took, ms; unset while it runs. */
  took: number | undefined;
  agentGone: boolean;
  /** A run that was paused for a person, and has not gone on. */
  waits: boolean;
  /** Some of its data is in the store only. */
  partial: boolean;
  /** Goes up with every change, so that what was derived can be kept. */
  version: number;
  cache: { version: number; summary?: string; haystack?: string };
}

export function isCall(row: Row): boolean {
  return row.group === 'calls';
}

export function timeOf(event: EventRow): number {
  return Date.parse(event.time);
}

export function makeRow(event: EventRow, group: Group, partial: boolean): Row {
  return {
    id: event.seq,
    group,
    kind: event.kind,
    agent: event.agent,
    session: event.session,
    tool: text(fields(event.data), 'tool_name'),
    time: timeOf(event),
    events: [event],
    callId: undefined,
    start: undefined,
    result: undefined,
    end: undefined,
    asked: undefined,
    resolved: undefined,
    judgements: [],
    refused: undefined,
    telemetry: [],
    usage: [],
    outcome: 'none',
    took: undefined,
    agentGone: false,
    waits: false,
    partial,
    version: 0,
    cache: { version: -1 },
  };
}

/** What an evaluation or intervention came to. */
export function judgement(event: EventRow): 'for' | 'against' | 'note' {
  const data = fields(event.data);
  const word = (text(data, 'decision', 'action') ?? '').toLowerCase();
  if (/block|den(y|ied)|reject|halt|refus|abort|forbid/.test(word)) return 'against';
  if (event.kind === 'system3_evaluation' && /approve|allow|accept|pass|ok/.test(word)) return 'for';
  return 'note';
}

function statusOf(resolved: EventRow): Outcome {
  switch (text(fields(resolved.data), 'status', 'decision')) {
    case 'approved':
    case 'approve':
      return 'approved';
    case 'stopped':
    case 'stop':
      return 'stopped';
    case 'expired':
      return 'expired';
    case 'cancelled':
      return text(fields(resolved.data), 'message')?.startsWith('answered in the terminal') ? 'withdrawn' : 'cancelled';
    default:
      return 'denied';
  }
}

export function failure(row: Row): string | undefined {
  if (!row.end) return undefined;
  const data = fields(row.end.data);
  const said = errorText(data['error']);
  if (data['success'] === false) return said ?? 'failed, without a reason';
  return data['success'] === undefined ? said : undefined;
}

/** The hub's policy said no before the call ran: its end is the hub's, told at the hook that comes before a tool. */
function refusedByPolicy(row: Row): boolean {
  return row.end?.origin === 'hook' && text(fields(row.end.data), 'hook_event_name') === 'PreToolUse';
}

function outcomeOf(row: Row): Outcome {
  const over = row.end !== undefined || row.result !== undefined;
  const failed = failure(row) !== undefined;
  const measured = row.telemetry.map((event) => fields(event.data)['success']).find((success) => typeof success === 'boolean');
  const untold = row.end !== undefined && fields(row.end.data)['success'] === null;
  if (over && !failed && !untold) return 'ok';
  const answer = row.resolved ? statusOf(row.resolved) : undefined;
  // Taken back, it was answered elsewhere, and what came of it says how.
  const back = answer === 'withdrawn' || answer === 'cancelled';
  // An end that the hub has put where the agent tells none does not say that it ran.
  const ran = over && !(untold && fields(row.end?.data)['note'] !== undefined);
  if (answer !== undefined && answer !== 'approved' && !(back && ran && !row.refused)) return answer;
  if (row.judgements.some((event) => judgement(event) === 'against')) return 'blocked';
  if (failed) return refusedByPolicy(row) ? 'denied' : 'failed';
  if (row.refused) return 'denied';
  if (row.asked && !row.resolved) return 'asked';
  if ((!over || untold) && measured !== undefined) return measured === true ? 'ok' : 'failed';
  if (untold) return 'ended';
  if (row.start) return row.agentGone ? 'left' : 'running';
  return answer ?? 'judged';
}

function tookOf(row: Row): number | undefined {
  const said = [row.end, ...row.telemetry].map((event) => number(fields(event?.data), 'duration')).find((seconds) => seconds !== undefined);
  const over = row.end ?? row.result ?? (said === undefined ? undefined : row.telemetry[0]);
  if (!over) return undefined;
  if (said !== undefined && said >= 0) return said * 1000;
  // It never ran: the time that a person took is none of the call's.
  if (NEVER_RAN.has(row.outcome)) return undefined;
  const begun = beganAt(row);
  return begun === undefined ? undefined : Math.max(0, timeOf(over) - begun);
}

const NEVER_RAN: ReadonlySet<Outcome> = new Set(['denied', 'stopped', 'expired', 'cancelled', 'withdrawn']);

/** When the call began to run, ms: not before a person let it. */
export function beganAt(row: Row): number | undefined {
  if (!row.start) return undefined;
  return row.resolved ? Math.max(timeOf(row.start), timeOf(row.resolved)) : timeOf(row.start);
}

/** Brings what follows from the events up to date. */
export function settle(row: Row): void {
  if (isCall(row)) {
    row.outcome = outcomeOf(row);
    row.took = tookOf(row);
  }
  row.version += 1;
}
