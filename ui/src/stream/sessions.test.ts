import { expect, it } from 'vitest';
import type { SessionView } from '../generated/SessionView';
import { SessionBook, sessionKey } from './sessions';
import { Script } from './testing';

function activity(book: SessionBook): string[] {
  return book.list(Date.parse('2026-01-17T10:31:00Z')).map((s) => `${s.agent}/${s.session} ${s.activity}`);
}

it('works while a call runs, fails when it failed, and is idle after the next good one', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([s.start('run')]);
  expect(activity(book)).toEqual(['sam/s1 working']);
  book.apply([s.end('run', { success: false, error: 'no' }), s.result('run', 'trace')]);
  expect(activity(book)).toEqual(['sam/s1 failed']);
  book.apply([s.start('run'), s.end('run')]);
  expect(activity(book)).toEqual(['sam/s1 idle']);
});

it('is stopped until the stop is lifted, and gone when its connection ended', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([s.event('agent_connected'), s.event('session_stopped', { by: 'window' }), s.start('run')]);
  expect(activity(book)).toEqual(['sam/s1 stopped']);
  book.apply([s.end('run'), s.event('session_resumed'), s.event('agent_disconnected')]);
  expect(activity(book)).toEqual(['sam/s1 gone']);
});

it('is not gone while its agent speaks by hooks, which have no connection, and is when it said so', () => {
  const s = new Script();
  const book = new SessionBook();
  const hook = (kind: string, data = {}) => ({ ...s.event(kind, data), origin: 'hook' as const });
  const view: SessionView = { agent: 'sam', session: 's1', origin: 'hook', activity: 'working', since: '2026-01-17T10:29:00Z', pending: 0, stopped: false, stops: true, connections: 0, events: 9, last: '2026-01-17T10:29:00Z' };
  book.correct([view]);
  book.apply([hook('tool_call_start', { tool_name: 'Edit' })]);
  expect(activity(book)).toEqual(['sam/s1 working']);
  book.waiting(new Map([[sessionKey('sam', 's1'), ['Edit']]]), Date.now());
  expect(activity(book)).toEqual(['sam/s1 needs_you']);
  book.waiting(new Map(), Date.now());
  expect(activity(book)).toEqual(['sam/s1 working']);
  book.apply([hook('tool_call_end', { tool_name: 'Edit', success: true }), hook('turn_completed')]);
  expect(activity(book)).toEqual(['sam/s1 idle']);
  book.apply([hook('session_ended')]);
  expect(activity(book)).toEqual(['sam/s1 gone']);
});

it('makes no session of a probe', () => {
  const book = new SessionBook();
  book.apply([{ ...new Script().event('probe'), origin: 'hook' }]);
  expect(activity(book)).toEqual([]);
});

it('needs you while an approval waits', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([s.start('run'), s.ask('run', 'r')]);
  book.waiting(new Map([[sessionKey('sam', 's1'), ['run']]]), Date.now());
  book.apply([s.event('agent_status', { status: 'processing' })]);
  expect(activity(book)).toEqual(['sam/s1 needs_you']);
  book.waiting(new Map(), Date.now());
  expect(activity(book)).toEqual(['sam/s1 working']);
});

it("takes the hub's account, but not over what it has seen since", () => {
  const s = new Script();
  const book = new SessionBook();
  const view: SessionView = { agent: 'sam', session: 's1', activity: 'failed', since: '2026-01-17T10:29:00Z', pending: 0, stopped: false, stops: true, connections: 1, events: 9, last: '2026-01-17T10:29:00Z' };
  book.correct([view]);
  expect(activity(book)).toEqual(['sam/s1 failed']);
  book.apply([s.start('run')]);
  book.correct([view]);
  expect(activity(book)).toEqual(['sam/s1 working']);
});

it('waits for a person while its run is paused for one, says why, and goes on', () => {
  const s = new Script(1, 'desk', 'run-1');
  const book = new SessionBook();
  const line = () => book.list(Date.parse('2026-01-17T10:31:00Z'))[0];
  book.apply([s.event('execution_started', { input: 'x' })]);
  expect(line()?.activity).toBe('working');
  book.apply([s.event('execution_paused', { node_id: 'n', reason: 'rate limit' })]);
  expect(line()?.activity).toBe('idle');
  book.apply([s.event('execution_paused', { node_id: 'n', reason: 'HITL: read clause 7' })]);
  expect([line()?.activity, line()?.task]).toEqual(['needs_you', 'HITL: read clause 7']);
  book.waiting(new Map(), Date.now());
  book.apply([s.event('agent_disconnected')]);
  expect(line()?.activity).toBe('needs_you');
  book.apply([s.event('agent_connected'), s.event('execution_resumed', {})]);
  expect([line()?.activity, line()?.task]).toEqual(['working', undefined]);
  book.apply([s.event('execution_failed', { error: { message: 'no price' } })]);
  expect([line()?.activity, line()?.task]).toEqual(['failed', 'no price']);
});

it('knows how far a run is, from a share or from a percentage, and forgets it with the run', () => {
  const s = new Script();
  const book = new SessionBook();
  const progress = () => book.list(Date.parse('2026-01-17T10:31:00Z'))[0]?.progress;
  book.apply([s.event('goal_progress', { progress: 0.62 })]);
  expect(progress()).toBe(0.62);
  book.apply([s.event('agent_status', { agentName: 'sam', state: 'working', currentTask: 'Draft', progress: 45 })]);
  expect([progress(), book.list(0)[0]?.task, book.list(0)[0]?.activity]).toEqual([0.45, 'Draft', 'working']);
  for (const odd of ['half', null, {}]) book.apply([s.event('goal_progress', { progress: odd })]);
  expect(progress()).toBe(0.45);
  book.apply([s.event('goal_progress', { progress: 7 })]);
  expect(progress()).toBe(1);
  book.apply([s.event('execution_completed', {})]);
  expect(progress()).toBeUndefined();
});

it("takes a run's wait and progress from the hub's account", () => {
  const book = new SessionBook();
  const view: SessionView = { agent: 'desk', session: 'r', activity: 'needs_you', task: 'HITL: sign', progress: 0.5, since: '2026-01-17T10:29:00Z', pending: 0, stopped: false, stops: true, connections: 0, events: 3, last: '2026-01-17T10:29:00Z' };
  book.correct([view]);
  book.waiting(new Map(), Date.now());
  const line = book.list(Date.parse('2026-01-17T10:31:00Z'))[0];
  expect([line?.activity, line?.waits, line?.progress]).toEqual(['needs_you', 'HITL: sign', 0.5]);
});

it('is made by agents, and not by people who come and go', () => {
  const s = new Script();
  const book = new SessionBook();
  book.apply([s.event('user_presence', { userId: 'user_a', status: 'online' }, { agent: 'user_a', session: 'c-1' }), s.start('run')]);
  expect(activity(book)).toEqual(['sam/s1 working']);
});
