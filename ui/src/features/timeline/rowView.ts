// What the list shows of a row, as plain values: one glance at a row a frame, and nothing in the DOM that did not change.
import type { Shape } from '../../components/Glyph.svelte';
import { failure, isCall, timeOf, type Outcome, type Row } from '../../stream/row';
import { judgementChip, summary } from '../../stream/summary';
import { oneLine } from '../../stream/visible';
import { clock, duration, fullClock } from '../../stream/words';

export interface RowView {
  readonly id: number;
  readonly time: string;
  readonly timeTitle: string;
  readonly who: string;
  readonly agent: string;
  readonly session: string;
  readonly shape: Shape;
  readonly name: string;
  readonly call: boolean;
  readonly summary: string;
  readonly chip: string;
  readonly stance: 'for' | 'against' | 'note' | '';
  readonly moreChips: number;
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
  failed: 'bad',
  blocked: 'no',
  denied: 'no',
  stopped: 'stop',
  expired: 'no',
  cancelled: 'no',
  left: 'gone',
  none: 'dot',
};

const WORDS: Record<Outcome, string> = {
  asked: 'needs you',
  approved: 'approved',
  judged: 'judged',
  running: 'running',
  ok: 'ok',
  failed: 'failed',
  blocked: 'blocked',
  denied: 'denied',
  stopped: 'stopped',
  expired: 'expired',
  cancelled: 'cancelled',
  left: 'agent gone',
  none: '',
};

const NAMES: Record<string, string> = {
  agent_status: 'status',
  autonomous_activity: 'autonomous',
  system2_intervention: 'system 2',
  system3_intervention: 'system 3',
  system3_evaluation: 'system 3',
  agent_connected: 'connected',
  agent_disconnected: 'disconnected',
  session_stopped: 'session stopped',
  session_resumed: 'stop lifted',
  approval_resolved: 'approval answered',
  approval_delivered: 'answer delivered',
};

/** A log scale from 10 ms to 10 min. */
function barOf(ms: number | undefined): number {
  if (ms === undefined || ms <= 0) return 0;
  return Math.min(1, Math.max(0.02, Math.log10(Math.max(10, ms) / 10) / Math.log10(60_000)));
}

export function outcomeWord(row: Row): string {
  return WORDS[row.outcome];
}

export function outcomeShape(row: Row): Shape {
  if (!isCall(row)) {
    if (row.kind === 'session_stopped') return 'stop';
    if (row.group === 'judgements') return 'judge';
    return row.kind === 'agent_disconnected' ? 'gone' : 'dot';
  }
  return SHAPES[row.outcome];
}

export function nameOf(row: Row): string {
  return isCall(row) ? oneLine(row.tool ?? 'a tool without a name', 80) : (NAMES[row.kind] ?? oneLine(row.kind.replaceAll('_', ' '), 80));
}

function tone(row: Row): RowView['tone'] {
  if (row.outcome === 'asked') return 'need';
  if (row.outcome === 'failed' || row.outcome === 'stopped' || row.kind === 'session_stopped') return 'bad';
  return row.outcome === 'running' ? 'run' : 'quiet';
}

export function viewOf(row: Row, now: number): RowView {
  const running = row.outcome === 'running';
  const ms = running && row.start ? Math.max(0, now - timeOf(row.start)) : row.took;
  const chips = isCall(row) ? row.judgements : [];
  const decisive = chips.find((event) => judgementChip(event).stance === 'against') ?? chips[0];
  const chip = decisive && row.outcome !== 'judged' ? judgementChip(decisive) : undefined;
  const said = summary(row);
  return {
    id: row.id,
    time: clock(row.time, now),
    timeTitle: fullClock(row.time),
    who: row.session === undefined ? row.agent : `${row.agent} / ${row.session}`,
    agent: oneLine(row.agent, 60),
    session: oneLine(row.session ?? '', 60),
    shape: outcomeShape(row),
    name: nameOf(row),
    call: isCall(row),
    summary: said,
    chip: chip?.words ?? '',
    stance: chip?.stance ?? '',
    moreChips: Math.max(0, chips.length - 1),
    word: failure(row) !== undefined && row.outcome === 'failed' ? 'failed' : WORDS[row.outcome],
    tone: tone(row),
    took: ms === undefined || row.outcome === 'asked' ? '' : running ? duration(Math.floor(ms / 100) * 100) : duration(ms),
    bar: barOf(ms),
  };
}
