import { expect, it } from 'vitest';
import { EVERYTHING, FilteredRows, type Filter } from './filter';
import { Script } from './testing';
import { Timeline } from './timeline';

function follow(filter: Partial<Filter>) {
  const timeline = new Timeline({ following: 6, reading: 6 });
  const filtered = new FilteredRows();
  filtered.set({ ...EVERYTHING, ...filter }, timeline.rows);
  const apply = (...events: Parameters<Timeline['apply']>[0]): string[] => {
    filtered.follow(timeline.rows, new Set());
    const changed = timeline.apply(events);
    filtered.follow(timeline.rows, changed);
    return filtered.rows.map((row) => row.tool ?? row.kind);
  };
  return { apply, timeline, filtered };
}

it('shows everything at first, in the very array of the timeline', () => {
  const s = new Script();
  const { apply, timeline, filtered } = follow({});
  expect(apply(s.start('a'))).toEqual(['a']);
  expect(filtered.rows).toBe(timeline.rows);
});

it('takes new rows in, and old ones when a later event makes them fit', () => {
  const s = new Script();
  const { apply } = follow({ text: 'needle' });
  expect(apply(s.start('a', { code: 'hay' }), s.start('b', { code: 'the NEEDLE' }))).toEqual(['b']);
  expect(apply(s.result('a', 'a needle'))).toEqual(['a', 'b']);
});

it('every word has to be found, in any field', () => {
  const s = new Script();
  const { apply } = follow({ text: 'sam rm' });
  expect(apply(s.start('shell', { command: 'rm -rf build' }), s.start('shell', { command: 'ls' }))).toEqual(['shell']);
});

it('lets go of what the timeline lets go of', () => {
  const s = new Script();
  const { apply } = follow({ text: 'even' });
  const note = (n: number) => s.event('note', { message: n % 2 ? 'odd' : 'even', n });
  apply(...[0, 1, 2, 3, 4, 5].map(note));
  expect(apply(...[6, 7, 8].map(note))).toHaveLength(3);
});

it('by session, by group, and by trouble alone', () => {
  const s = new Script();
  const events = [s.start('a'), s.end('a', { success: false, error: 'no' }), s.event('agent_status', { status: 'idle' }), s.start('b'), s.event('note', {}, { session: 's2' })];
  expect(follow({ trouble: true }).apply(...events)).toEqual(['a']);
  expect(follow({ groups: new Set(['activity']) }).apply(...events)).toEqual(['agent_status']);
  expect(follow({ session: { agent: 'sam', session: 's2' } }).apply(...events)).toEqual(['note']);
});
