import { describe, expect, it } from 'vitest';
import type { EventRow } from '../generated/EventRow';
import { Script } from './testing';
import { Timeline } from './timeline';

/** One word a row: its tool or kind, and how it stands. */
function rows(events: EventRow[]): string[] {
  const timeline = new Timeline();
  timeline.apply(events);
  return timeline.rows.map((row) => `${row.tool ?? row.kind} ${row.outcome}`);
}

describe('a tool call is one row', () => {
  it('from start over end to result', () => {
    const s = new Script();
    const timeline = new Timeline();
    timeline.apply([s.start('run')]);
    expect(timeline.rows[0]).toMatchObject({ outcome: 'running', took: undefined });
    timeline.apply([s.end('run', { duration: 0.523 }), s.result('run')]);
    expect(timeline.rows).toHaveLength(1);
    expect(timeline.rows[0]).toMatchObject({ outcome: 'ok', took: 523 });
  });

  it('with the result before the end', () => {
    const s = new Script();
    expect(rows([s.start('run'), s.result('run'), s.end('run')])).toEqual(['run ok']);
  });

  it('that has ended where nobody says how, unless telemetry does', () => {
    const s = new Script();
    const ended = (): EventRow[] => [s.start('run', {}, { call_id: 'a' }), s.end('run', { call_id: 'a', success: null })];
    expect(rows(ended())).toEqual(['run ended']);
    const timeline = new Timeline();
    timeline.apply([...ended(), s.event('tool_telemetry', { call_id: 'a', tool_name: 'run', success: false })]);
    expect(timeline.rows.map((row) => row.outcome)).toEqual(['failed']);
  });

  it('when two calls of one tool overlap, oldest first', () => {
    const s = new Script();
    const timeline = new Timeline();
    timeline.apply([s.start('run', { n: 1 }), s.start('run', { n: 2 }), s.end('run', { success: false, error: 'no' }), s.end('run'), s.result('run', 'two')]);
    expect(timeline.rows.map((row) => row.outcome)).toEqual(['failed', 'ok']);
    expect(timeline.rows[1]!.result?.data['result']).toBe('two');
  });

  it('by call id where there is one', () => {
    const s = new Script();
    expect(rows([s.start('run', {}, { call_id: 'a' }), s.start('run', {}, { call_id: 'b' }), s.end('run', { call_id: 'b' })])).toEqual(['run running', 'run ok']);
  });

  it('never across sessions or agents', () => {
    const s = new Script();
    expect(rows([s.start('run'), s.event('tool_call_end', { tool_name: 'run', success: true }, { session: 's2' })])).toEqual(['run running', 'run ok']);
  });

  it('a result long after another call of the tool goes to the one that runs', () => {
    const s = new Script();
    const timeline = new Timeline();
    timeline.apply([s.start('run'), s.end('run')]);
    s.wait(20_000);
    timeline.apply([s.start('run'), s.result('run', 'second')]);
    expect(timeline.rows.map((row) => row.result?.data['result'])).toEqual([undefined, 'second']);
  });

  it('an end or result without a start makes its own row', () => {
    const s = new Script();
    expect(rows([s.end('run'), s.wait(9_000).result('look')])).toEqual(['run ok', 'look ok']);
  });

  it('says that a call was left when its agent goes, and takes it back when it ends after all', () => {
    const s = new Script();
    const timeline = new Timeline();
    timeline.apply([s.start('run'), s.event('agent_disconnected', { connection: 'c1' })]);
    expect(timeline.rows[0]!.outcome).toBe('left');
    timeline.apply([s.end('run')]);
    expect(timeline.rows[0]!.outcome).toBe('ok');
  });
});

describe('judgements stand beside the call they judge', () => {
  it('while it runs, and after it ended', () => {
    const s = new Script();
    const timeline = new Timeline();
    timeline.apply([s.start('run'), s.evaluation('run'), s.end('run'), s.start('look'), s.end('look'), s.evaluation('look')]);
    expect(timeline.rows.map((row) => row.judgements.length)).toEqual([1, 1]);
  });

  it('before it starts', () => {
    const s = new Script();
    expect(rows([s.evaluation('run')])).toEqual(['run judged']);
    expect(rows([s.evaluation('run'), s.start('run'), s.end('run')])).toEqual(['run ok']);
  });

  it('a no blocks it, and the intervention that follows belongs to it', () => {
    const t = new Script();
    expect(rows([t.start('run'), t.event('system3_intervention', { action: 'block_execution', details: { reason: 'Protected file' } })])).toEqual(['run blocked']);
    const u = new Script();
    expect(
      rows([u.start('run'), u.evaluation('run', 'deny'), u.event('system3_intervention', { action: 'block_execution', details: {} }), u.end('run', { success: false, error: 'blocked' })]),
    ).toEqual(['run blocked']);
  });

  it('a new call is not taken for the one that was blocked', () => {
    const s = new Script();
    expect(rows([s.evaluation('run', 'deny'), s.start('run')])).toEqual(['run blocked', 'run running']);
  });

  it('an intervention without a call stands alone', () => {
    const s = new Script();
    expect(rows([s.event('system2_intervention', { intervention_type: 'token_limit_breach', action: 'context_compression' })])).toEqual(['system2_intervention none']);
  });
});

describe('an approval is part of its call', () => {
  it('asked before the call', () => {
    const s = new Script();
    expect(rows([s.ask('run', 'r1')])).toEqual(['run asked']);
    const t = new Script();
    expect(rows([t.ask('run', 'r1'), t.answer('run', 'r1', 'approved'), t.start('run'), t.end('run')])).toEqual(['run ok']);
  });

  it('asked after the start', () => {
    const s = new Script();
    expect(rows([s.start('run'), s.ask('run', 'r1')])).toEqual(['run asked']);
    const t = new Script();
    expect(rows([t.start('run'), t.ask('run', 'r1'), t.answer('run', 'r1', 'denied'), t.end('run', { success: false, error: 'denied' })])).toEqual(['run denied']);
  });

  it('two at once are answered each on its own', () => {
    const s = new Script();
    expect(rows([s.ask('run', 'r1', { n: 1 }), s.ask('run', 'r2', { n: 2 }), s.answer('run', 'r2', 'stopped'), s.answer('run', 'r1', 'approved')])).toEqual(['run approved', 'run stopped']);
  });

  it('a start with other arguments is another call', () => {
    const s = new Script();
    expect(rows([s.ask('run', 'r1', { n: 1 }), s.start('run', { n: 2 })])).toEqual(['run asked', 'run running']);
  });
});

describe('the loaded part of the log', () => {
  it('passes over what it has seen', () => {
    const s = new Script();
    const events = [s.start('run'), s.end('run')];
    const timeline = new Timeline();
    timeline.apply(events);
    timeline.apply(events);
    expect(timeline.rows).toHaveLength(1);
  });

  it('is bounded, and more so while followed', () => {
    const s = new Script();
    const timeline = new Timeline({ following: 10, reading: 15 });
    const some = (n: number): EventRow[] => Array.from({ length: n }, () => s.event('note'));
    timeline.apply(some(14), false);
    expect(timeline.rows).toHaveLength(14);
    timeline.apply(some(4), false);
    expect([timeline.rows.length, timeline.evicted, timeline.first]).toEqual([15, 3, 4]);
    timeline.follow();
    expect([timeline.rows.length, timeline.first]).toEqual([10, 9]);
  });

  it('takes older pages in front, and joins ends with the starts that they bring', () => {
    const s = new Script();
    const all = [s.event('note'), s.start('run'), s.start('long'), s.end('run'), s.result('run'), s.event('note')];
    const timeline = new Timeline();
    timeline.apply(all.slice(3));
    expect(timeline.rows).toHaveLength(2);
    timeline.prepend(all.slice(0, 3));
    expect(timeline.rows.map((row) => `${row.tool ?? row.kind} ${row.outcome}`)).toEqual(['note none', 'run ok', 'long running', 'note none']);
    timeline.apply([s.end('long')]);
    expect(timeline.rows[2]!.outcome).toBe('ok');
  });

  it('survives data of any shape', () => {
    const s = new Script();
    const odd = [null, 7, 'x', [], { tool_name: 4, arguments: null, duration: 'long', error: { code: 1 } }] as unknown as Record<string, unknown>[];
    const kinds = ['tool_call_start', 'tool_call_end', 'tool_call_result', 'system2_intervention', 'system3_evaluation', 'system3_intervention', 'approval_request', 'approval_resolved', 'agent_status', 'odd'];
    expect(() => rows(odd.flatMap((data) => kinds.map((kind) => s.event(kind, data))))).not.toThrow();
  });

  it('holds a burst of 50,000 events without trouble, and little memory of the large ones', () => {
    const s = new Script();
    const big = 'x'.repeat(100_000);
    const events = Array.from({ length: 50_000 }, (_, n) => (n % 2 ? s.end(`t${n % 7}`) : s.start(`t${(n + 1) % 7}`, { code: n % 1000 ? 'print(1)' : big })));
    const timeline = new Timeline();
    const before = performance.now();
    for (let at = 0; at < events.length; at += 2000) timeline.apply(events.slice(at, at + 2000));
    expect(performance.now() - before).toBeLessThan(4000);
    expect(timeline.rows).toHaveLength(20_000);
    const heavy = timeline.rows.find((row) => row.partial)!;
    expect(JSON.stringify(heavy.start!.data).length).toBeLessThan(20_000);
  });
});
