// What the list shows of a row, as plain values: one glance at a row a frame, and nothing in the DOM that did not change.
import type { Shape } from '../../components/Glyph.svelte';
import { nameOfSession } from '../../stream/families';
import { kindName } from '../../stream/kinds';
import { fields, isEmpty, text } from '../../stream/read';
import { beganAt, failure, isCall, type Outcome, type Row } from '../../stream/row';
import type { Session } from '../../stream/sessions';
import { failureLine, judgementChip, summary, turnUsage } from '../../stream/summary';
import { oneLine } from '../../stream/visible';
import { clock, duration, fullClock } from '../../stream/words';

export interface RowView {
  readonly id: number;
  readonly time: string;
  readonly timeTitle: string;
  readonly who: string;
  readonly agent: string;
  readonly session: string;
  /** Of a subagent: stands beneath what its session does. */
  readonly child: boolean;
  /** What its agent speaks; empty while that is not known. */
  readonly dialect: string;
  readonly shape: Shape;
  readonly name: string;
  readonly kind: string;
  readonly call: boolean;
  readonly summary: string;
  /** Why it failed. */
  readonly why: string;
  readonly chip: string;
  readonly stance: 'for' | 'against' | 'note' | '';
  readonly moreChips: number;
  /** What is particular about it: told late, run with other arguments. */
  readonly marks: readonly string[];
  readonly word: string;
  readonly tone: 'need' | 'bad' | 'run' | 'quiet';
  readonly took: string;
  /** 0 to 1 of the shared scale of durations. */
  readonly bar: number;
}

const SHAPES: Record<Outcome, Shape> = {
  asked: 'need',
  approved: 'wait',
  judged: 'judge',
  running: 'run',
  ok: 'ok',
  ended: 'dot',
  failed: 'bad',
  blocked: 'no',
  denied: 'no',
  stopped: 'stop',
  expired: 'no',
  cancelled: 'no',
  withdrawn: 'gone',
  left: 'gone',
  none: 'dot',
};

const WORDS: Record<Outcome, string> = {
  asked: 'needs you',
  approved: 'approved',
  judged: 'judged',
  running: 'running',
  ok: 'ok',
  ended: 'ended',
  failed: 'failed',
  blocked: 'blocked',
  denied: 'denied',
  stopped: 'stopped',
  expired: 'expired',
  cancelled: 'cancelled',
  withdrawn: 'withdrawn',
  left: 'agent gone',
  none: '',
};

/** A log scale from 10 ms to 10 min. */
function barOf(ms: number | undefined): number {
  if (ms === undefined || ms <= 0) return 0;
  return Math.min(1, Math.max(0.02, Math.log10(Math.max(10, ms) / 10) / Math.log10(60_000)));
}

export function outcomeWord(row: Row): string {
  return WORDS[row.outcome];
}

const EVENT_SHAPES: Readonly<Record<string, Shape>> = {
  session_started: 'go',
  session_ended: 'gone',
  subagent_started: 'go',
  subagent_stopped: 'ok',
  turn_completed: 'say',
  turn_failed: 'bad',
  interrupt: 'stop',
  task_completed: 'ok',
  message_display: 'say',
  session_stopped: 'stop',
  agent_disconnected: 'gone',
  execution_started: 'go',
  execution_resumed: 'go',
  execution_completed: 'ok',
  goal_achieved: 'ok',
  execution_failed: 'bad',
  execution_paused: 'wait',
  constraint_violation: 'no',
  chat_message: 'say',
  user_presence: 'who',
};

/** How much a word from an agent matters, in its own terms. */
function level(row: Row): string {
  return row.kind === 'notification' ? (text(fields(row.events[0]?.data), 'level') ?? '').toLowerCase() : '';
}

export function outcomeShape(row: Row): Shape {
  if (isCall(row)) return SHAPES[row.outcome];
  if (row.waits) return 'need';
  if (row.group === 'judgements') return 'judge';
  if (level(row) === 'error') return 'bad';
  return EVENT_SHAPES[row.kind] ?? 'dot';
}

export function nameOf(row: Row): string {
  if (isCall(row)) return oneLine(row.tool ?? 'a tool without a name', 80);
  if (row.kind === 'chat_message') return oneLine(text(fields(row.events[0]?.data), 'sender') ?? 'message', 40);
  return oneLine(kindName(row.kind), 80);
}

function tone(row: Row): RowView['tone'] {
  if (row.outcome === 'asked' || row.waits) return 'need';
  const bad = row.outcome === 'failed' || row.outcome === 'stopped' || row.kind === 'session_stopped' || row.kind === 'execution_failed' || row.kind === 'turn_failed';
  if (bad || level(row) === 'error') return 'bad';
  return row.outcome === 'running' ? 'run' : 'quiet';
}

function word(row: Row): string {
  if (isCall(row)) return failure(row) !== undefined && row.outcome === 'failed' ? 'failed' : WORDS[row.outcome];
  if (row.waits) return 'needs you';
  return row.kind === 'notification' ? oneLine(level(row), 20) : '';
}

/** In a word each. */
export function marksOf(row: Row): string[] {
  const late = row.events.some((event) => fields(event.data)['late'] === true);
  const edited = !isEmpty(fields(row.resolved?.data)['arguments']) && row.tool !== 'AskUserQuestion';
  return [...(late ? ['late'] : []), ...(edited ? ['edited'] : [])];
}

/** `sessions` tells what is known of a session that no event of the row says: what it speaks, how a person names it. */
export function viewOf(row: Row, now: number, sessions: (agent: string, session: string) => Session | undefined): RowView {
  const running = row.outcome === 'running';
  const begun = running ? beganAt(row) : undefined;
  const ms = begun === undefined ? row.took : Math.max(0, now - begun);
  const chips = isCall(row) ? row.judgements : [];
  const decisive = chips.find((event) => judgementChip(event).stance === 'against') ?? chips[0];
  const chip = decisive && row.outcome !== 'judged' ? judgementChip(decisive) : undefined;
  const said = summary(row);
  const usage = turnUsage(row);
  const session = row.session === undefined ? undefined : sessions(row.agent, row.session);
  return {
    id: row.id,
    time: clock(row.time, now),
    timeTitle: fullClock(row.time),
    who: row.session === undefined ? row.agent : `${row.agent} / ${row.session}`,
    agent: oneLine(row.agent, 60),
    session: oneLine(session ? nameOfSession(session) : (row.session ?? ''), 60),
    child: session?.parent !== undefined,
    dialect: row.events[0]?.origin || session?.origin || '',
    shape: outcomeShape(row),
    name: nameOf(row),
    kind: row.kind,
    call: isCall(row),
    summary: said,
    why: failureLine(row),
    chip: chip?.words ?? usage,
    stance: chip?.stance ?? (usage === '' ? '' : 'note'),
    marks: marksOf(row),
    moreChips: Math.max(0, chips.length - 1),
    word: word(row),
    tone: tone(row),
    took: ms === undefined || row.outcome === 'asked' ? '' : running ? duration(Math.floor(ms / 100) * 100) : duration(ms),
    bar: barOf(ms),
  };
}
